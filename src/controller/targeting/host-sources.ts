/** Sources of hosts besides the inventory. A site may lack any of them. */

import type { FactPath } from '../../conditions/fact-condition.ts';
import type { Asks, Meant } from '../../protocol/discovery.ts';
import type { LastKind } from '../../protocol/names.ts';
import type { AgentStatus } from '../../protocol/status.ts';
import type { SendFailure, Target } from '../../transport/transport.ts';
import type { Discovered } from '../fleet/discover.ts';

export interface LastQuestion {
  kind: LastKind;
  /** Milliseconds: what `stale` means. */
  olderThanMs: number;
}

/** PuppetDB's answers, as certnames. Every method may throw `KickError`. */
export interface NodeDatabase {
  /** Every row must have a certname. */
  byQuery(pql: string): Promise<string[]>;
  byClass(name: string): Promise<string[]>;
  byLast(question: LastQuestion): Promise<string[]>;
  /** Nodes that are not deactivated. */
  active(): Promise<string[]>;
  /**
   * The values at these paths, in their order; undefined if a host has none. For all hosts that have facts, or at least
   * for these.
   */
  factValues(
    paths: readonly FactPath[],
    certnames?: readonly string[],
  ): Promise<ReadonlyMap<string, readonly unknown[]>>;
  /** How many of these hosts have each environment, class and kind of latest report. */
  countBy(certnames: readonly string[]): Promise<HostCount[]>;
}

export interface HostCount {
  name: 'environment' | 'class' | 'last';
  kind: HostCount['name'];
  values: { value: string; hosts: number }[];
}

/** What a host answered, or why it did not. */
export interface AgentAnswer {
  target: Target;
  /** Milliseconds from connecting to the answer. */
  latencyMs?: number;
  status?: AgentStatus;
  error?: string;
  /** The kind of the error. */
  failure?: SendFailure;
}

export interface HostSources {
  database: NodeDatabase | undefined;
  /** Asks all agents at the broker (DESIGN 12). Throws `KickError` `config` if there is none, or it cannot be reached. */
  discover(
    asks: Asks,
    options: {
      meant: Meant | undefined;
      expected: Iterable<string> | undefined;
      all: boolean;
      waitMs: number | undefined;
    },
  ): Promise<Discovered>;
  /** Asks agents for their state; `classes`: also for their Puppet classes. Never throws because of one host. */
  askAgents(targets: readonly Target[], question: { classes: boolean }): Promise<AgentAnswer[]>;
  /** Certnames signed by Puppet's CA on this machine; undefined if there is no CA here. */
  signedCertnames(): Promise<string[] | undefined>;
  /** Runs a program and returns its output; throws `Error` with the reason, or `KickError` `untrusted`. */
  outputOf(argv: readonly string[]): Promise<string>;
}
