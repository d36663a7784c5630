/** The smaller shapes of the routes of jobs. */
import * as v from 'valibot';
import { LogLineSchema, ResourceSchema } from '../../protocol/event.ts';
import { OUTCOMES } from '../../protocol/outcome.ts';
import { count, longText, matching, text } from '../../util/bounds.ts';
import { boundedArray } from '../../util/schema.ts';
import { JobHostSchema, JobLineSchema } from './job.ts';

const cursor = v.optional(text(300));
const limit = v.optional(matching(/^[1-9]\d{0,3}$/, 'a number from 1 to 9999'));
const outcome = v.picklist(Object.keys(OUTCOMES) as (keyof typeof OUTCOMES)[]);

/** An id, its last digits, or `last`. */
export const JobParams = v.strictObject({
  job: matching(/^(last|[0-9a-f-]{1,36})$/, 'not a job: an id, its last digits, or last'),
});

export const HostParams = v.strictObject({
  ...JobParams.entries,
  certname: v.pipe(text(253), v.minLength(1)),
});

export const JobsQuery = v.strictObject({
  cursor,
  limit,
  by: v.optional(text(330)),
  name: v.optional(text(64)),
  outcome: v.optional(outcome),
});

export const JobsReplySchema = v.object({
  jobs: v.array(JobLineSchema),
  /** The cursor of the next page; absent on the last. */
  next: v.optional(longText),
});

export const HostsQuery = v.strictObject({
  cursor,
  limit,
  outcome: v.optional(v.union([outcome, v.literal('open')])),
  /** Part of the certname. */
  name: v.optional(text(253)),
  sort: v.optional(v.picklist(['certname', 'outcome', 'duration'])),
});

export const HostsReplySchema = v.object({
  hosts: v.array(JobHostSchema),
  /** How many there are on all pages. */
  total: count,
  next: v.optional(longText),
});

export const HostDetailSchema = v.object({
  ...JobHostSchema.entries,
  resources: v.array(ResourceSchema),
  moreResources: count,
  run: v.optional(v.looseObject({})),
  log: v.array(LogLineSchema),
});

export const ChangesReplySchema = v.object({
  groups: v.array(
    v.object({
      resources: v.array(ResourceSchema),
      more: count,
      isExample: v.boolean(),
      certnames: v.array(longText),
    }),
  ),
});

export const StopSchema = v.strictObject({ reason: v.optional(text(500)) });

export const StopReplySchema = v.object({
  job: longText,
  /** `ordered`: who runs it stops it; `idle`: nobody runs it; `cancelled`: its hosts have been told. */
  how: v.picklist(['ordered', 'idle', 'cancelled']),
  hosts: v.array(v.object({ certname: longText, isDone: v.boolean(), message: longText })),
});

export const RerunSchema = v.strictObject({
  outcomes: v.optional(boundedArray(outcome, 30)),
  reason: v.optional(text(500)),
  dryRun: v.optional(v.boolean(), false),
});

export const ConfirmSchema = v.strictObject({ goOn: v.boolean() });
