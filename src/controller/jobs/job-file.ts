/** job.json: what a job is, written once. Read as if somebody else had written it. */
import * as v from 'valibot';
import { CertnameSchema, UuidSchema, WAYS } from '../../protocol/names.ts';
import { BySchema, QueueSchema, RunActionSchema } from '../../protocol/request.ts';
import { count, duration, longText, measure, port, time, whole } from '../../util/bounds.ts';
import type { StoredFormat } from '../../util/stored-json.ts';

/** In a job's folder: this file, and that of its events. */
export const JOB_NAME = 'job.json';
export const EVENTS_NAME = 'events.jsonl';

/** How many at once: none would never end. */
const atOnce = whole(1, Number.MAX_SAFE_INTEGER);

const ShareSchema = v.object({
  count: v.pipe(measure, v.minValue(0)),
  unit: v.picklist(['hosts', 'percent']),
});

const RolloutSchema = v.object({
  canary: v.exactOptional(count),
  batches: v.exactOptional(v.array(ShareSchema)),
  pauseMs: v.exactOptional(duration),
  confirm: v.exactOptional(v.boolean()),
  maxFailures: v.exactOptional(ShareSchema),
  maxUnreachable: v.exactOptional(ShareSchema),
  retry: v.exactOptional(count),
  deadlineMs: v.exactOptional(duration),
  expectVersion: v.exactOptional(longText),
  groups: v.exactOptional(
    v.array(v.object({ name: longText, concurrency: atOnce, certnames: v.array(CertnameSchema) })),
  ),
});

const DiscoverySchema = v.object({
  tookMs: duration,
  expected: v.exactOptional(v.object({ hosts: count, answered: count })),
  silent: v.array(longText),
  ignored: count,
});

const JobSchema = v.object({
  id: UuidSchema,
  controller: CertnameSchema,
  by: BySchema,
  action: RunActionSchema,
  queue: v.exactOptional(QueueSchema),
  targets: v.array(
    v.object({ certname: CertnameSchema, host: longText, port, via: v.exactOptional(v.picklist(WAYS)) }),
  ),
  concurrency: atOnce,
  rollout: v.exactOptional(RolloutSchema),
  name: v.exactOptional(longText),
  maintenance: v.exactOptional(v.array(longText)),
  discovery: v.exactOptional(DiscoverySchema),
});

const SettingsSchema = v.object({
  lostAfterMs: duration,
  connectTimeoutMs: duration,
  timeoutMs: v.exactOptional(duration),
  detach: v.exactOptional(v.boolean()),
  accept: v.array(longText),
  success: v.exactOptional(measure),
  partial: v.exactOptional(v.boolean()),
  account: v.exactOptional(longText),
  version: longText,
});

const JobFileSchema = v.object({
  job: JobSchema,
  settings: SettingsSchema,
  createdAt: time,
});

export type JobFile = v.InferOutput<typeof JobFileSchema>;

/** Enough for far more than 100,000 hosts. */
export const JOB_FILE = {
  schema: JobFileSchema,
  version: 1,
  maxBytes: 256 << 20,
} satisfies StoredFormat<v.GenericSchema>;

const StopOrderSchema = v.object({ at: time, by: longText, cancel: v.boolean() });

export const STOP_ORDER = { schema: StopOrderSchema, version: 1 } satisfies StoredFormat<v.GenericSchema>;
