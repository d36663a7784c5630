/** What was done, in words: the audit log itself keeps methods and paths. */
import type { Text } from '../text/en.ts';

type Acts = Text['admin']['acts'];

const ACTS: readonly (readonly [what: RegExp, act: keyof Acts])[] = [
  [/^POST \/session$/, 'signIn'],
  [/^GET \/session\//, 'signIn'],
  [/^DELETE \/session$/, 'signOut'],
  [/^POST \/jobs$/, 'run'],
  [/^POST \/jobs\/[^/]+\/stop$/, 'stop'],
  [/^POST \/jobs\/[^/]+\/cancel$/, 'cancel'],
  [/^POST \/jobs\/[^/]+\/resume$/, 'resume'],
  [/^POST \/jobs\/[^/]+\/rerun$/, 'rerun'],
  [/^POST \/jobs\/[^/]+\/confirm$/, 'confirm'],
  [/^POST \/fleet\/disable$/, 'disable'],
  [/^POST \/fleet\/enable$/, 'enable'],
  [/^POST \/fleet\/cancel$/, 'cancelRuns'],
  [/^POST \/tokens$/, 'makeToken'],
  [/^DELETE \/tokens\//, 'revokeToken'],
  [/^POST \/schedules$/, 'setSchedule'],
  [/^POST \/schedules\/[^/]+\/pause$/, 'pauseSchedule'],
  [/^POST \/schedules\/[^/]+\/run$/, 'runSchedule'],
  [/^DELETE \/schedules\//, 'removeSchedule'],
  [/^schedule /, 'scheduled'],
  [/^POST \/hooks\//, 'hook'],
];

/** Undefined: there are no words for it. */
export function actOf(what: string, { admin: { acts } }: Text): string | undefined {
  const act = ACTS.find(([pattern]) => pattern.test(what))?.[1];
  return act === undefined ? undefined : acts[act];
}
