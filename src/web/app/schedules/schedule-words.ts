/** A schedule in words. */
import type { Schedule } from '../api/queries.ts';
import type { Text } from '../text/en.ts';
import type { Tone } from '../theme/outcomes.ts';

export type Pass = Schedule['history'][number];

export const PASS_TONES: Readonly<Record<Pass['result'], Tone>> = {
  started: 'ok',
  skipped: 'held',
  missed: 'held',
  failed: 'failed',
};

/** `@web db*`. */
export function hostsOf({ choice }: Pick<Schedule, 'choice'>, t: Text): string {
  const { all, hosts = [], facts = [], classes = [], exclude = [], last = [] } = choice;
  const named = [...(all === true ? [t.kick.all] : []), ...hosts, ...facts, ...classes, ...last];
  return [...named, ...exclude.map((one) => `−${one}`)].join(' ');
}

export function actionOf({ action, rollout }: Pick<Schedule, 'action' | 'rollout'>, t: Text): string {
  const { noop } = action;
  const mode = noop === true ? t.kick.noop : noop === false ? t.kick.run : t.kick.own;
  if (rollout.canary !== undefined) return `${mode} · ${t.kick.canary}`;
  return rollout.batches === undefined ? mode : `${mode} · ${t.kick.batches}`;
}
