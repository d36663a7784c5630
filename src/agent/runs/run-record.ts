/** The stored form of a run: how it was started, and why it is being ended. */
import * as v from 'valibot';
import { UuidSchema } from '../../protocol/names.ts';
import { BySchema, RunActionSchema } from '../../protocol/request.ts';
import { duration, longText, time, whole } from '../../util/bounds.ts';
import type { StoredFormat } from '../../util/stored-json.ts';

/** linux/threads.h, PID_MAX_LIMIT, with room. */
const pid = whole(1, 2 ** 31 - 1);

/** A pid identifies a process only together with its start time (proc.ts). */
export const ProcessSchema = v.object({ pid, start: longText });

/** The host's own settings for every run. */
const SiteSchema = v.object({
  environment: longText,
  tags: longText,
  skipTags: longText,
  /** Puppet's names of settings that come from PUPPET_EXTRA_OPTS; the others come from puppet.conf. */
  inOptions: v.array(longText),
});

/** The files by which a run is judged. */
const PuppetPathsSchema = v.object({
  lastRunReport: longText,
  runLock: longText,
  disabledLock: longText,
  /** The host's own settings. */
  site: v.optional(SiteSchema),
});

const RunRecordSchema = v.object({
  run: UuidSchema,
  boot: longText,
  action: RunActionSchema,
  /** Milliseconds since 1970. */
  createdAt: time,
  /** Milliseconds the run may take; defaults to no limit. */
  timeLimitMs: v.optional(duration),
  /** As of the start of the run, which may change Puppet's configuration or Puppet itself. */
  puppet: v.optional(PuppetPathsSchema),
  /** The first requester, reported to requests that wait for this run. */
  by: BySchema,
  job: UuidSchema,
  /** Known once the wrapper holds the lock; the run is released only after this is on disk. */
  wrapper: v.optional(ProcessSchema),
  /** The process that becomes the command; it may outlive the wrapper before it has written `started`. */
  inner: v.optional(ProcessSchema),
});

/** Why a run is being ended; stored before the first signal (DESIGN 3, "How a run is judged"). */
const IntentionSchema = v.object({
  /** `failed`: it cannot be read why. */
  outcome: v.picklist(['cancelled', 'timed-out', 'failed']),
  /** A sentence for people. */
  message: longText,
});

export type SiteSettings = v.InferOutput<typeof SiteSchema>;
export type PuppetPaths = v.InferOutput<typeof PuppetPathsSchema>;
export type RunRecord = v.InferOutput<typeof RunRecordSchema>;
export type Intention = v.InferOutput<typeof IntentionSchema>;

export const RUN_RECORD = { schema: RunRecordSchema, version: 1 } satisfies StoredFormat<v.GenericSchema>;
export const INTENTION = { schema: IntentionSchema, version: 1 } satisfies StoredFormat<v.GenericSchema>;
