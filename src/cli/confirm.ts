/** Above so many hosts whoever sits at a terminal is asked. */
import type { ControllerConfig } from '../config/controller-config.ts';
import { foldNames } from '../controller/nodeset/fold.ts';
import type { RunAction } from '../protocol/request.ts';
import type { Target } from '../transport/transport.ts';
import { clip, plural } from '../util/text.ts';
import { askOnTerminal, canAsk } from './terminal.ts';

/** What a job would do, for that question. */
export function jobWords({ noop }: Pick<RunAction, 'noop'>): string {
  return noop === true ? 'Run a preview (noop)' : 'Run Puppet';
}

/** `what`: what would be done, `Run Puppet`. True where there are few, nobody to ask, or the answer is yes. */
export async function isMeantFor(
  targets: readonly Target[],
  { confirm_above }: ControllerConfig,
  what: string,
): Promise<boolean> {
  if (targets.length <= confirm_above || !canAsk()) return true;
  const names = clip(foldNames(targets.map(({ certname }) => certname)), 200);
  return askOnTerminal(`${what} on ${plural(targets.length, 'host')} (${names})?`);
}
