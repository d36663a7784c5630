/** What is written down of an accepted request, and of the run that serves it. */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { UuidSchema } from '../../protocol/names.ts';
import { type RequestKey, RunRequestSchema } from '../../protocol/request.ts';
import type { StoredFormat } from '../../util/stored-json.ts';
import { ProcessSchema, type RunRecord } from '../runs/run-record.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const RequestRecordSchema = v.object({
  name: v.pipe(v.string(), v.maxLength(255)),
  request: RunRequestSchema,
  /** Milliseconds since 1970. */
  acceptedAt: v.pipe(v.number(), v.integer()),
});

/**
 * The run that serves a request; run events follow the request's own in its stream. In another boot than its own, a run
 * without a folder is over.
 */
const AssignmentSchema = v.object({
  run: UuidSchema,
  boot: v.pipe(v.string(), v.maxLength(255)),
  /** As in the run's record, which may vanish before the run does. */
  wrapper: v.optional(ProcessSchema),
  inner: v.optional(ProcessSchema),
  /** The number of the request's last event of its own. */
  base: count,
});

/** What a request knows of its run besides: the run's own folder is not as durable. */
export type AssignedRun = Pick<RunRecord, 'run' | 'boot' | 'wrapper' | 'inner'>;
export type RequestRecord = v.InferOutput<typeof RequestRecordSchema>;
export type Assignment = v.InferOutput<typeof AssignmentSchema>;

export const REQUEST_RECORD = {
  schema: RequestRecordSchema,
  version: 1,
} satisfies StoredFormat<v.GenericSchema>;
export const ASSIGNMENT = { schema: AssignmentSchema, version: 1 } satisfies StoredFormat<v.GenericSchema>;

/** The folder of a key: readable, and no longer than a file name may be. */
export function requestName({ iss, job, attempt }: RequestKey): string {
  return `${job}.${attempt}.${createHash('sha256').update(iss).digest('hex').slice(0, 16)}`;
}

/** The beginning of the names of all attempts of a job. */
export function jobPrefix(job: string): string {
  return `${job}.`;
}
