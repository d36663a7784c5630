/** The schema of a job's stored events. What an agent said is checked again where it is read (`hostEventIn`). */
import * as v from 'valibot';
import { FinishedSchema, ResourceSchema, type StoredEvent, StoredEventSchema } from '../../protocol/event.ts';
import { OUTCOME_NAMES } from '../../protocol/outcome.ts';
import { RefusalSchema } from '../../protocol/refusal.ts';
import type { SendFailure } from '../../transport/transport.ts';
import { count, duration, longText, text, time, whole } from '../../util/bounds.ts';
import { fitTo } from '../../util/fit.ts';
import type { LineFormat } from '../../util/json.ts';
import { isWholeLine } from '../../util/line-sum.ts';
import type { StopReason } from './job.ts';

const STOP_REASONS = [
  'interrupted',
  'timeout',
  'max-failures',
  'max-unreachable',
  'canary',
  'declined',
  'stopped',
] as const satisfies readonly StopReason[];

const at = time;
const certname = text(253);
const host = { at, certname };

/** For people; one of a newer version is shown as it is. */
const failure = v.pipe(
  text(64),
  v.transform((name) => name as SendFailure),
);

const HostResultSchema = v.object({
  certname,
  outcome: v.picklist(OUTCOME_NAMES),
  message: v.exactOptional(longText),
  refusal: v.exactOptional(RefusalSchema),
  detached: v.exactOptional(v.literal(true)),
  failure: v.exactOptional(failure),
  finished: v.exactOptional(FinishedSchema),
  resources: v.exactOptional(v.array(ResourceSchema)),
  moreResources: v.exactOptional(count),
  startedAt: v.exactOptional(time),
  endedAt: time,
  waitedMs: v.exactOptional(duration),
});

export const JobEventSchema = v.variant('type', [
  v.object({ type: v.literal('job-started'), at }),
  v.object({ type: v.literal('job-done'), at, stopped: v.exactOptional(v.picklist(STOP_REASONS)) }),
  v.object({ type: v.literal('signer'), protected: longText }),
  v.object({ type: v.literal('request-signed'), ...host, payload: longText, signature: longText }),
  v.object({ type: v.literal('host-dispatched'), ...host }),
  v.object({ type: v.literal('host-retry'), ...host, message: longText }),
  v.object({
    type: v.literal('host-event'),
    ...host,
    event: v.looseObject({ type: text(64), seq: whole(1, Number.MAX_SAFE_INTEGER) }),
  }),
  v.object({ type: v.literal('host-done'), at, result: HostResultSchema }),
  v.object({
    type: v.literal('batch'),
    at,
    number: count,
    of: count,
    hosts: count,
    isCanary: v.boolean(),
  }),
  v.object({ type: v.literal('pause'), at, until: v.exactOptional(time) }),
  v.object({ type: v.literal('window'), at, size: count, most: count, why: longText }),
  v.object({ type: v.literal('stopping'), at, reason: v.picklist(STOP_REASONS), message: longText }),
]);

/** An event as read back: job.json holds the job, `job-done` has no results, and a host's event is not checked yet. */
export type StoredJobEvent = v.InferOutput<typeof JobEventSchema>;

const TYPES: readonly string[] = JobEventSchema.options.map(({ entries }) => entries.type.literal);

/**
 * A field that is out of bounds (an earlier version stored what agents said) does not cost the line: it is moved to its bound,
 * or left out.
 */
export const EVENT_LINES: LineFormat<StoredJobEvent> = {
  shortest: '{"type":"pause","at":0}'.length,
  isWhole: isWholeLine,
  isKnown: (value) => TYPES.includes((value as { type?: string }).type ?? ''),
  decode: (value) => fitTo(JobEventSchema, value),
};

/** The event of a host; undefined if it is none that this version knows. */
export function hostEventIn({ event }: StoredJobEvent & { type: 'host-event' }): StoredEvent | undefined {
  return fitTo(StoredEventSchema, event);
}
