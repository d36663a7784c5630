/** What is written down of a run: how it was begun, and why it is being ended. */
import * as v from 'valibot';
import { UuidSchema } from '../../protocol/names.ts';
import { BySchema, RunActionSchema } from '../../protocol/request.ts';
import type { StoredFormat } from '../../util/stored-json.ts';

const text = v.pipe(v.string(), v.maxLength(65_536));
const time = v.pipe(v.number(), v.integer());

/** A pid is only a name together with its start time (proc.ts). */
export const ProcessSchema = v.object({ pid: v.pipe(v.number(), v.integer(), v.minValue(1)), start: text });

/** What the host's own settings say of every run. */
const SiteSchema = v.object({
  environment: text,
  tags: text,
  skipTags: text,
  /** Settings by Puppet's own names that PUPPET_EXTRA_OPTS gives; puppet.conf, if anything, gives the others. */
  inOptions: v.array(text),
});

/** Where Puppet leaves what a run is judged by. */
const PuppetPathsSchema = v.object({
  lastRunReport: text,
  runLock: text,
  disabledLock: text,
  /** What else the host's own settings said. */
  site: v.optional(SiteSchema),
});

const RunRecordSchema = v.object({
  run: UuidSchema,
  boot: text,
  action: RunActionSchema,
  /** Milliseconds since 1970. */
  createdAt: time,
  /** Milliseconds the run may take; absent: no limit. */
  timeLimitMs: v.optional(v.pipe(v.number(), v.minValue(0))),
  /** As they were when the run began: it may change Puppet's configuration, or Puppet itself. */
  puppet: v.optional(PuppetPathsSchema),
  /** Who asked first, for those who wait for this run. */
  by: BySchema,
  job: UuidSchema,
  /** Known once the wrapper holds the lock; it is released only after this is on disk. */
  wrapper: v.optional(ProcessSchema),
  /** What becomes the command when it is released; it may outlive the wrapper before it has written `started`. */
  inner: v.optional(ProcessSchema),
});

/** Why a run is being ended; written down before the first signal (DESIGN 3, "How a run is judged"). */
const IntentionSchema = v.object({
  outcome: v.picklist(['cancelled', 'timed-out']),
  /** A sentence for people. */
  message: text,
});

export type SiteSettings = v.InferOutput<typeof SiteSchema>;
export type PuppetPaths = v.InferOutput<typeof PuppetPathsSchema>;
export type RunRecord = v.InferOutput<typeof RunRecordSchema>;
export type Intention = v.InferOutput<typeof IntentionSchema>;

export const RUN_RECORD = { schema: RunRecordSchema, version: 1 } satisfies StoredFormat<v.GenericSchema>;
export const INTENTION = { schema: IntentionSchema, version: 1 } satisfies StoredFormat<v.GenericSchema>;
