/** Asks for confirmation above a number of hosts, if there is a terminal. */
import type { ControllerConfig } from '../config/controller-config.ts';
import type { RunAction } from '../protocol/request.ts';
import type { Target } from '../transport/transport.ts';
import { plural } from '../util/text.ts';
import { askOnTerminal, canAsk, type Terminal } from './terminal.ts';

/** Maximum number of names or ranges in the question. */
const NAMED = 10;

/** What a job would do, for the question. */
export function jobWords({ noop }: Pick<RunAction, 'noop'>): string {
  return noop === true ? 'Run a preview (noop)' : 'Run Puppet';
}

export interface Confirmation {
  /** --yes: do not ask. */
  yes: boolean | undefined;
  config: ControllerConfig;
  /** What is about to be done: `Run Puppet`. */
  what: string;
  err: Terminal['err'];
}

/** True if there are few hosts, nobody to ask, or the answer is yes; reports it if nothing is sent. */
export async function isMeantFor(
  targets: readonly Target[],
  { yes, config, what, err }: Confirmation,
): Promise<boolean> {
  if (yes === true || targets.length <= config.confirm_above || !canAsk()) return true;
  const { hostList } = await import('../conditions/nodeset/host-list.ts');
  const names = hostList(
    targets.map(({ certname }) => certname),
    { most: NAMED },
  );
  const isMeant = await askOnTerminal(`${what} on ${plural(targets.length, 'host')} (${names})?`);
  if (!isMeant) err('Nothing was sent.\n');
  return isMeant;
}
