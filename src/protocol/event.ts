/** DESIGN 2 and 6: the events of a request's stream, one JSON object per line. */
import * as v from 'valibot';
import { count, measure, size, text, time, whole } from '../util/bounds.ts';
import { type JsonLimits, parseJson } from '../util/json.ts';
import { boundedArray } from '../util/schema.ts';
import { UuidSchema } from './names.ts';
import { AGENT_OUTCOMES } from './outcome.ts';

/** Maximum bytes of an event; a log event holds as many lines as fit. */
export const MAX_EVENT_BYTES = 64 * 1024;

/** Milliseconds between signs of life, and of silence after which a connection counts as broken (DESIGN 6). */
export const ALIVE_EVERY_MS = 15_000;
export const SILENCE_MS = 45_000;

/** The holder of the lock that a request waits for. */
export const HolderSchema = v.object({
  pid: v.optional(count),
  /** For people: `puppet agent, not by kick`, `sshd, left behind by a run of kick`. */
  what: text(200),
  /** False: most likely it is no run, but holds the lock anyway. */
  isRun: v.optional(v.boolean()),
  /** Its command line, its user and when it started, unless it is obvious what it is. */
  command: v.optional(text(200)),
  user: v.optional(text(64)),
  began: v.optional(time),
  /** Milliseconds since 1970. */
  since: v.optional(time),
  /** The requester, if kick started it. */
  by: v.optional(text(330)),
  job: v.optional(UuidSchema),
  /** Milliseconds since 1970: when it last printed anything. */
  progressAt: v.optional(time),
  /** Why it seems to be stuck: it is over its limit, or has printed nothing for too long. */
  stuck: v.optional(text(200)),
  /** What an operator can do about it, if kick does nothing. */
  next: v.optional(text(1024)),
});

export const LogLineSchema = v.object({
  /** One that only a newer agent knows is none that costs the line. */
  level: v.fallback(
    v.picklist(['debug', 'info', 'notice', 'warning', 'err', 'alert', 'emerg', 'crit', 'output']),
    'notice',
  ),
  source: v.optional(text(1024)),
  message: text(8192),
  file: v.optional(text(1024)),
  line: v.optional(count),
});

/** The first error of a run, with its place in the code if Puppet reports one. */
export const RunErrorSchema = v.object({
  message: text(8192),
  source: v.optional(text(1024)),
  file: v.optional(text(1024)),
  line: v.optional(count),
});

/** What became of drift; `partly`: only some of it was repaired. */
export const DriftSchema = v.picklist(['repaired', 'partly', 'found']);

/** From the run's own report, if there is one. */
export const RunFactsSchema = v.object({
  configurationVersion: v.optional(text(256)),
  codeId: v.optional(text(256)),
  environment: v.optional(text(128)),
  serverUsed: v.optional(text(300)),
  noop: v.optional(v.boolean()),
  noopPending: v.optional(v.boolean()),
  /** There was drift: `drift` says what became of it. */
  correctiveChange: v.optional(v.boolean()),
  drift: v.optional(DriftSchema),
  cachedCatalog: v.optional(text(64)),
  /** Counts of resources by Puppet's names: total, changed, failed, out_of_sync, … */
  resources: v.optional(v.record(text(64), measure)),
});

const Accepted = v.object({ type: v.literal('accepted'), version: text(64) });
const Waiting = v.object({
  type: v.literal('waiting'),
  holder: HolderSchema,
  /** Milliseconds since 1970: when the request gives up. */
  until: time,
});
const Started = v.object({
  type: v.literal('started'),
  run: UuidSchema,
  pid: v.optional(count),
  /** How many requests this run serves. */
  serves: v.optional(count),
});
const Log = v.object({ type: v.literal('log'), lines: v.array(LogLineSchema) });
const Dropped = v.object({
  type: v.literal('dropped'),
  /** Bytes of output that were dropped between head and tail. */
  bytes: size,
});
/** What happened to one property of a resource, in Puppet's words (Sensitive values stay redacted). */
export const ResourceEventSchema = v.object({
  /** `ensure`, `content`, …; absent for a refresh. */
  property: v.optional(text(128)),
  status: v.picklist(['success', 'failure', 'noop', 'audit']),
  old: v.optional(text(256)),
  new: v.optional(text(256)),
  message: v.optional(text(512)),
});

/** A resource that was not as it should be. */
export const ResourceSchema = v.object({
  /** `Service[httpd]`. */
  resource: text(512),
  /** `pending`: it would have changed without noop. */
  status: v.picklist(['changed', 'failed', 'pending']),
  corrective: v.optional(v.boolean()),
  file: v.optional(text(1024)),
  line: v.optional(count),
  events: boundedArray(ResourceEventSchema, 20),
});

/** From the run's report, right before `finished`; one or more of these. */
const Resources = v.object({
  type: v.literal('resources'),
  resources: v.array(ResourceSchema),
  /** How many further resources there were: the list is bounded. */
  more: v.optional(count),
});
export const FinishedSchema = v.object({
  type: v.literal('finished'),
  outcome: v.picklist(AGENT_OUTCOMES),
  run: v.optional(UuidSchema),
  /** Milliseconds since 1970; absent if no run began. */
  startedAt: v.optional(time),
  endedAt: time,
  /** The process's exit status, 128 + n for a signal. */
  exit: v.optional(count),
  /** One sentence for people: the reason for the outcome. */
  message: v.optional(text(2048)),
  /** The holder of the lock, with `busy`. */
  holder: v.optional(HolderSchema),
  error: v.optional(RunErrorSchema),
  facts: v.optional(RunFactsSchema),
});

export const EventSchema = v.variant('type', [
  Accepted,
  Waiting,
  Started,
  Log,
  Dropped,
  Resources,
  FinishedSchema,
]);

/** An event as stored and sent, with its number in the request's stream and its time. */
export const StoredEventSchema = v.intersect([
  v.object({ seq: whole(1, Number.MAX_SAFE_INTEGER), at: time }),
  EventSchema,
]);

export type Holder = v.InferOutput<typeof HolderSchema>;
export type LogLine = v.InferOutput<typeof LogLineSchema>;
export type RunError = v.InferOutput<typeof RunErrorSchema>;
export type ResourceEvent = v.InferOutput<typeof ResourceEventSchema>;
export type ResourceChange = v.InferOutput<typeof ResourceSchema>;
export type Drift = v.InferOutput<typeof DriftSchema>;
export type RunFacts = v.InferOutput<typeof RunFactsSchema>;
export type Event = v.InferOutput<typeof EventSchema>;
export type StoredEvent = v.InferOutput<typeof StoredEventSchema>;
export type FinishedEvent = v.InferOutput<typeof FinishedSchema>;

/** The sign of life between events, which has no number and is not stored. */
export const ALIVE_LINE = '{"type":"alive"}\n';

export const EVENT_LIMITS: JsonLimits = { maxBytes: MAX_EVENT_BYTES, maxDepth: 8 };

export function encodeEvent(event: StoredEvent): string {
  return `${JSON.stringify(event)}\n`;
}

/** Those of a newer version are not among them. */
export const EVENT_TYPES: readonly string[] = EventSchema.options.map(({ entries }) => entries.type.literal);

/**
 * Decodes a line of a stream; throws `JsonError` or valibot's `ValiError`. An event of unknown type, from a
 * newer agent, is only a sign of life.
 */
export function decodeEvent(line: Uint8Array): StoredEvent | { type: 'alive' } {
  const value = parseJson(line, EVENT_LIMITS);
  const typed = v.safeParse(v.object({ type: text(64) }), value);
  if (typed.success && !EVENT_TYPES.includes(typed.output.type)) return { type: 'alive' };
  return v.parse(StoredEventSchema, value);
}
