/** Jobs, as the API takes and returns them. Times are ISO 8601 in UTC. */
import * as v from 'valibot';
import { RunActionSchema } from '../../protocol/request.ts';
import { count, longText, matching, text, whole } from '../../util/bounds.ts';
import { boundedArray } from '../../util/schema.ts';
import { ChoiceSchema, ShareSchema, seconds, UnansweredSchema } from './choice.ts';

const WEEK_S = 7 * 86_400;

const { op: _op, ...runOptions } = RunActionSchema.entries;

/** What hosts are to do: the options of a run of Puppet. */
export const RunOptionsSchema = v.strictObject(runOptions);

export const RolloutSchema = v.pipe(
  v.strictObject({
    canary: v.optional(whole(1, 100_000)),
    batches: v.optional(v.pipe(boundedArray(ShareSchema, 100), v.minLength(1))),
    pause: v.optional(seconds(WEEK_S, 'between two batches')),
    confirm: v.optional(v.pipe(v.boolean(), v.description('ask between two batches'))),
    maxFailures: v.optional(ShareSchema),
    maxUnreachable: v.optional(ShareSchema),
    retry: v.optional(whole(0, 100)),
    deadline: v.optional(seconds(WEEK_S, 'how long hosts that cannot be reached are tried again')),
    expectVersion: v.optional(text(256)),
  }),
  v.check(
    ({ canary, batches, pause, confirm }) =>
      canary !== undefined || batches !== undefined || (pause === undefined && confirm !== true),
    'pause and confirm need batches, or a canary',
  ),
);

export const LockNameSchema = matching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, 'not a name of a lock');

export const JobWishSchema = v.strictObject({
  choice: ChoiceSchema,
  action: v.optional(RunOptionsSchema, {}),
  rollout: v.optional(RolloutSchema, {}),
  reason: v.optional(text(500)),
  /** How many hosts run at once. */
  concurrency: v.optional(whole(1, 10_000)),
  /** The lock that the job holds: one job of a name runs at a time. */
  lock: v.optional(LockNameSchema),
  lockWait: v.optional(seconds(WEEK_S, 'how long to wait for the lock')),
  /** How long requests wait on each host for a run in progress. */
  wait: v.optional(seconds(WEEK_S, 'how long to wait on a host for a run in progress')),
  ifRunning: v.optional(v.picklist(['wait', 'skip'])),
  timeout: v.optional(seconds(WEEK_S, 'when the server stops following the job')),
  accept: v.optional(boundedArray(text(32), 20)),
  success: v.optional(whole(0, 100)),
  /** Returns the plan and starts nothing. */
  dryRun: v.optional(v.boolean(), false),
});

export type JobWishBody = v.InferOutput<typeof JobWishSchema>;

const BySchema = v.object({ user: longText, host: longText, reason: v.optional(longText) });

export const JOB_STATES = ['running', 'done', 'died', 'damaged'] as const;

/** A line of the list of jobs. */
export const JobLineSchema = v.object({
  id: longText,
  name: v.optional(longText),
  by: longText,
  reason: v.optional(longText),
  noop: v.optional(v.boolean()),
  state: v.picklist(JOB_STATES),
  /** These, `counts` and `exit` are of all hosts, and left out for those who may not look at all. */
  hosts: v.optional(count),
  counts: v.optional(v.record(longText, count)),
  startedAt: longText,
  endedAt: v.optional(longText),
  exit: v.optional(count),
});

export const JobSchema = v.object({
  id: longText,
  name: v.optional(longText),
  controller: longText,
  by: BySchema,
  state: v.picklist(JOB_STATES),
  action: v.looseObject({ op: longText }),
  rollout: v.optional(v.looseObject({})),
  concurrency: count,
  hosts: count,
  counts: v.record(longText, count),
  maintenance: v.array(longText),
  startedAt: longText,
  endedAt: v.optional(longText),
  stopped: v.optional(longText),
  exit: v.optional(count),
  /** The question between two batches, while the job waits for an answer. */
  question: v.optional(longText),
});

/** What a job would do. */
export const PlanSchema = v.object({
  action: v.looseObject({ op: longText }),
  rollout: v.optional(v.looseObject({})),
  concurrency: count,
  hosts: v.array(longText),
  batches: v.array(v.object({ size: count, isCanary: v.boolean() })),
  maintenance: v.array(longText),
  unanswered: v.array(UnansweredSchema),
  warnings: v.array(longText),
});

export const StartedSchema = v.object({
  /** Absent with dryRun. */
  job: v.optional(longText),
  plan: PlanSchema,
});

/** A host of a job; `outcome` is absent while it is not over. */
export const JobHostSchema = v.object({
  certname: longText,
  outcome: v.optional(longText),
  message: v.optional(longText),
  startedAt: v.optional(longText),
  endedAt: v.optional(longText),
  changed: count,
  /** Of the catalog that was applied, or looked at. */
  catalogVersion: v.optional(longText),
});
