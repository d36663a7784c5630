/** What a condition needs to be answered, and the answer. */

import type { Members } from '../../conditions/nodeset/evaluate.ts';
import type { AgentAnswer } from './host-sources.ts';
import type { SelectionContext } from './targets.ts';

export interface HostsOfOptions {
  /** The hosts still in; undefined if none have been named. */
  from: readonly string[] | undefined;
  context: SelectionContext;
  everyone(): Promise<Members>;
}

export interface Found {
  hosts: Members;
  /** Reasons for hosts left out, if there is more to say than that they do not meet the condition. */
  why?: ReadonlyMap<string, string>;
  unanswered?: AgentAnswer[];
}
