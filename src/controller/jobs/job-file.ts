/** job.json: what a job is, written once. Read as if somebody else had written it. */
import * as v from 'valibot';
import { CertnameSchema, UuidSchema } from '../../protocol/names.ts';
import { BySchema, RunActionSchema } from '../../protocol/request.ts';
import type { StoredFormat } from '../../util/stored-json.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const ms = v.pipe(v.number(), v.minValue(0));
const text = v.pipe(v.string(), v.maxLength(65_536));

const ShareSchema = v.object({
  count: v.pipe(v.number(), v.minValue(0)),
  unit: v.picklist(['hosts', 'percent']),
});

const RolloutSchema = v.object({
  canary: v.exactOptional(count),
  batches: v.exactOptional(v.array(ShareSchema)),
  pauseMs: v.exactOptional(ms),
  confirm: v.exactOptional(v.boolean()),
  maxFailures: v.exactOptional(ShareSchema),
  maxUnreachable: v.exactOptional(ShareSchema),
  retry: v.exactOptional(count),
  deadlineMs: v.exactOptional(ms),
  expectVersion: v.exactOptional(text),
  groups: v.exactOptional(
    v.array(v.object({ name: text, concurrency: count, certnames: v.array(CertnameSchema) })),
  ),
});

const JobSchema = v.object({
  id: UuidSchema,
  controller: CertnameSchema,
  by: BySchema,
  action: RunActionSchema,
  queue: v.exactOptional(v.object({ ifRunning: v.optional(v.literal('skip')), wait: v.optional(count) })),
  targets: v.array(v.object({ certname: CertnameSchema, host: text, port: count })),
  concurrency: count,
  rollout: v.exactOptional(RolloutSchema),
  name: v.exactOptional(text),
  maintenance: v.exactOptional(v.array(text)),
});

const SettingsSchema = v.object({
  lostAfterMs: ms,
  connectTimeoutMs: ms,
  timeoutMs: v.exactOptional(ms),
  detach: v.exactOptional(v.boolean()),
  accept: v.array(text),
  success: v.exactOptional(v.number()),
  partial: v.exactOptional(v.boolean()),
  version: text,
});

const JobFileSchema = v.object({
  job: JobSchema,
  settings: SettingsSchema,
  /** Milliseconds since 1970. */
  createdAt: v.number(),
});

export type JobFile = v.InferOutput<typeof JobFileSchema>;

/** A line a host, and its place in groups; far above a hundred thousand hosts. */
export const JOB_FILE = {
  schema: JobFileSchema,
  version: 1,
  maxBytes: 256 << 20,
} satisfies StoredFormat<v.GenericSchema>;

const StopOrderSchema = v.object({ at: v.number(), by: text, cancel: v.boolean() });

export const STOP_ORDER = { schema: StopOrderSchema, version: 1 } satisfies StoredFormat<v.GenericSchema>;
