/** The stored form of an accepted request, and of its assignment to a run. */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { isUuid, UuidSchema } from '../../protocol/names.ts';
import { type RequestKey, RunRequestSchema } from '../../protocol/request.ts';
import { count, duration, text, time } from '../../util/bounds.ts';
import type { Clock } from '../../util/clock.ts';
import { bootId, uptimeMs } from '../../util/proc.ts';
import type { StoredFormat } from '../../util/stored-json.ts';
import { ProcessSchema, type RunRecord } from '../runs/run-record.ts';

const RequestRecordSchema = v.object({
  name: text(255),
  request: RunRequestSchema,
  /** Milliseconds since 1970. */
  acceptedAt: time,
  /** The boot in which it was accepted, and how many milliseconds after it. */
  boot: v.optional(text(255)),
  uptime: v.optional(duration),
  /** Its folder has a file `waiting` until it is over or has a run; those of 0.1 have none. */
  marked: v.optional(v.boolean()),
});

/**
 * The run that serves a request. The run's events follow the request's own in its stream. After a reboot, a run without a
 * folder is over.
 */
const AssignmentSchema = v.object({
  /** Of the request; earlier versions did not say. */
  name: v.optional(text(255)),
  run: UuidSchema,
  boot: text(255),
  /** As in the run's record, which may vanish before the run ends. */
  wrapper: v.optional(ProcessSchema),
  inner: v.optional(ProcessSchema),
  /** The number of the request's last own event. */
  base: count,
});

/** What a request stores about its run, since the run's folder is less durable. */
export type AssignedRun = Pick<RunRecord, 'run' | 'boot' | 'wrapper' | 'inner'>;
export type RequestRecord = v.InferOutput<typeof RequestRecordSchema>;
export type Assignment = v.InferOutput<typeof AssignmentSchema>;

export const REQUEST_RECORD = {
  schema: RequestRecordSchema,
  version: 1,
} satisfies StoredFormat<v.GenericSchema>;
export const ASSIGNMENT = { schema: AssignmentSchema, version: 1 } satisfies StoredFormat<v.GenericSchema>;

/** The record of a request that is accepted now. */
export function recordOf(request: RequestRecord['request'], clock: Pick<Clock, 'now'>): RequestRecord {
  return {
    name: requestName(request),
    request,
    acceptedAt: clock.now(),
    ...kernelTime(),
  };
}

/** The boot, and how many milliseconds after it it is. */
export const kernelTime = () => ({ boot: bootId(), uptime: uptimeMs() });

/** Milliseconds since it was accepted: within one boot by the kernel's clock, which nobody sets. */
export function ageOfRecord(
  { acceptedAt, boot, uptime }: Pick<RequestRecord, 'acceptedAt' | 'boot' | 'uptime'>,
  now: number,
): number {
  const age = boot === bootId() && uptime !== undefined ? uptimeMs() - uptime : now - acceptedAt;
  return Math.max(0, age);
}

/** The folder name of a key: readable, and short enough for a file name. */
export function requestName({ iss, job, attempt }: RequestKey): string {
  return `${job}.${attempt}.${createHash('sha256').update(iss).digest('hex').slice(0, 16)}`;
}

/** Whether a folder has the name of a key. */
export function isRequestName(name: string): boolean {
  const [job = '', attempt = '', iss = '', ...more] = name.split('.');
  return isUuid(job) && /^\d{1,16}$/.test(attempt) && /^[0-9a-f]{16}$/.test(iss) && more.length === 0;
}

/** What the folder names of all attempts of a job start with. */
export function jobPrefix(job: string): string {
  return `${job}.`;
}
