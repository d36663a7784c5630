/** Schedules, as the API takes and returns them. Times are ISO 8601 in UTC. */
import * as v from 'valibot';
import { longText, matching, text } from '../../util/bounds.ts';
import { ChoiceSchema } from './choice.ts';
import { LockNameSchema, RolloutSchema, RunOptionsSchema } from './job.ts';

export const ScheduleNameSchema = matching(
  /^[a-z0-9][a-z0-9_-]{0,63}$/,
  'not a name: lower-case letters, digits, "_" and "-"',
);

export const ScheduleWishSchema = v.strictObject({
  name: ScheduleNameSchema,
  /** Five fields, as in crontab(5). */
  cron: v.pipe(text(200), v.minLength(1)),
  /** A time zone like Europe/Berlin. */
  zone: v.pipe(text(64), v.minLength(1)),
  /** Resolved at each run. */
  choice: ChoiceSchema,
  action: v.optional(RunOptionsSchema, {}),
  rollout: v.optional(RolloutSchema, {}),
  reason: v.optional(text(500)),
  /** What happens while the last job of this schedule still runs; `replace` cancels it. */
  ifStillRunning: v.optional(v.picklist(['skip', 'wait', 'replace']), 'skip'),
  /** One job of a lock runs at a time, here and on the command line (--lock). */
  lock: v.optional(LockNameSchema),
  /** Times that passed while no server ran: they are made up for by one run, or skipped. */
  missed: v.optional(v.picklist(['once', 'skip']), 'skip'),
  paused: v.optional(v.boolean(), false),
});

export type ScheduleWish = v.InferOutput<typeof ScheduleWishSchema>;

export const PassSchema = v.object({
  at: longText,
  result: v.picklist(['started', 'skipped', 'failed', 'missed']),
  job: v.optional(longText),
  message: v.optional(longText),
});

export const ScheduleSchema = v.object({
  ...ScheduleWishSchema.entries,
  owner: longText,
  createdAt: longText,
  /** The next five times; none while it is paused. */
  next: v.array(longText),
  /** What became of its latest times, the latest first. */
  history: v.array(PassSchema),
});
