/** Schedules as they are kept, in one file beside the jobs. */
import { join } from 'node:path';
import * as v from 'valibot';
import { longText, text, time } from '../../../util/bounds.ts';
import type { Clock } from '../../../util/clock.ts';
import { boundedArray } from '../../../util/schema.ts';
import { LimitsSchema } from '../../api/access.ts';
import { ScheduleWishSchema } from '../../api/schedule.ts';
import { openStoredList, type StoredList } from '../access/stored-list.ts';

/** Of what became of a schedule's times. */
export const MAX_HISTORY = 20;

const StoredPassSchema = v.object({
  at: time,
  result: v.picklist(['started', 'skipped', 'failed', 'missed']),
  job: v.optional(longText),
  message: v.optional(longText),
});

const StoredScheduleSchema = v.object({
  wish: ScheduleWishSchema,
  owner: text(64),
  /** What narrowed the owner's rights when it was made: a token's. Each of them holds, beside the account's. */
  limits: boundedArray(LimitsSchema, 4),
  createdAt: time,
  /** The latest of its times that has been dealt with. */
  doneUntil: time,
  /** The job for whose end a run waits. */
  waitsFor: v.optional(longText),
  /** The latest first. */
  history: v.array(StoredPassSchema),
});

export type StoredSchedule = v.InferOutput<typeof StoredScheduleSchema>;
export type StoredPass = v.InferOutput<typeof StoredPassSchema>;

export function openStoredSchedules(webDir: string, clock: Clock): StoredList<StoredSchedule> {
  return openStoredList(join(webDir, 'schedules.json'), StoredScheduleSchema, clock);
}
