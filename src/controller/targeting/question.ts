/** What a condition is asked of, and what comes of it. */
import type { AgentAnswer } from './host-sources.ts';
import type { Members } from './nodeset/evaluate.ts';
import type { SelectionContext } from './targets.ts';

export interface HostsOfOptions {
  /** Who is still in; absent: nobody has been named. */
  from: readonly string[] | undefined;
  context: SelectionContext;
  everyone(): Promise<Members>;
}

export interface Found {
  hosts: Members;
  /** Why not, where there is more to say than that it does not hold. */
  why?: ReadonlyMap<string, string>;
  unanswered?: AgentAnswer[];
}
