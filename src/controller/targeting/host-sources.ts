/** Whom the choice of hosts asks, beside the inventory. Each of them may be absent on a site. */
import type { AgentStatus } from '../../protocol/status.ts';
import type { SendFailure, Target } from '../../transport/transport.ts';
import type { FactPath } from './fact-condition.ts';

/** What the latest report of a host was; `stale`: it is too old, or there is none. */
export const LAST_KINDS = ['failed', 'changed', 'unchanged', 'stale'] as const;
export type LastKind = (typeof LAST_KINDS)[number];

export interface LastQuestion {
  kind: LastKind;
  /** Milliseconds: what `stale` means. */
  olderThanMs: number;
}

/** What PuppetDB answers, as certnames. Every method may throw `KickError`. */
export interface NodeDatabase {
  /** Its rows must have a certname. */
  byQuery(pql: string): Promise<string[]>;
  byClass(name: string): Promise<string[]>;
  byLast(question: LastQuestion): Promise<string[]>;
  /** Nodes that are not deactivated. */
  active(): Promise<string[]>;
  /**
   * The values at these paths, in their order, undefined where a host has none: of all hosts that have
   * facts, or at least of these.
   */
  factValues(
    paths: readonly FactPath[],
    certnames?: readonly string[],
  ): Promise<ReadonlyMap<string, readonly unknown[]>>;
}

/** What a host answered, or why it did not. */
export interface AgentAnswer {
  target: Target;
  /** Milliseconds from connecting to the answer. */
  latencyMs?: number;
  status?: AgentStatus;
  error?: string;
  /** Of what kind the error is. */
  failure?: SendFailure;
}

export interface HostSources {
  database: NodeDatabase | undefined;
  /** Asks agents; `classes`: also which Puppet classes they have. Never throws for what one host does. */
  askAgents(targets: readonly Target[], question: { classes: boolean }): Promise<AgentAnswer[]>;
  /** Certnames that Puppet's CA on this machine has signed; undefined where there is none. */
  signedCertnames(): Promise<string[] | undefined>;
  /** What a program prints; throws `Error` with the reason. */
  outputOf(argv: readonly string[]): Promise<string>;
}
