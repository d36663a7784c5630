/** Above so many hosts whoever sits at a terminal is asked. */
import type { ControllerConfig } from '../config/controller-config.ts';
import { foldNames } from '../controller/targeting/nodeset/fold.ts';
import type { RunAction } from '../protocol/request.ts';
import type { Target } from '../transport/transport.ts';
import { clip, plural } from '../util/text.ts';
import { askOnTerminal, canAsk, type Terminal } from './terminal.ts';

/** What a job would do, for that question. */
export function jobWords({ noop }: Pick<RunAction, 'noop'>): string {
  return noop === true ? 'Run a preview (noop)' : 'Run Puppet';
}

export interface Confirmation {
  /** --yes: it is meant, and nobody is asked. */
  yes: boolean | undefined;
  config: ControllerConfig;
  /** What would be done: `Run Puppet`. */
  what: string;
  err: Terminal['err'];
}

/** True where there are few, nobody to ask, or the answer is yes; says so where nothing is sent. */
export async function isMeantFor(
  targets: readonly Target[],
  { yes, config, what, err }: Confirmation,
): Promise<boolean> {
  if (yes === true || targets.length <= config.confirm_above || !canAsk()) return true;
  const names = clip(foldNames(targets.map(({ certname }) => certname)), 200);
  const isMeant = await askOnTerminal(`${what} on ${plural(targets.length, 'host')} (${names})?`);
  if (!isMeant) err('Nothing was sent.\n');
  return isMeant;
}
