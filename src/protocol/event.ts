/** DESIGN 2 and 6: what a request's stream tells, one JSON object a line. */
import * as v from 'valibot';
import { type JsonLimits, parseJson } from '../util/json.ts';
import { UuidSchema } from './names.ts';
import { AGENT_OUTCOMES } from './outcome.ts';

/** Bytes of one event at the most; a log event holds as many lines as fit. */
export const MAX_EVENT_BYTES = 64 * 1024;

/** Milliseconds between two signs of life, and of silence that mean a broken connection (DESIGN 6). */
export const ALIVE_EVERY_MS = 15_000;
export const SILENCE_MS = 45_000;

const text = (max: number) => v.pipe(v.string(), v.maxLength(max));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const time = v.pipe(v.number(), v.integer());

/** Who holds the lock that a request waits for. */
export const HolderSchema = v.object({
  pid: v.optional(count),
  /** For people: `puppet agent, not by kick`, `sshd, left behind by a run of kick`. */
  what: text(200),
  /** False: most likely it is no run, and holds the lock all the same. */
  isRun: v.optional(v.boolean()),
  /** Its command line, its user and when it began, where it is nothing that everybody knows. */
  command: v.optional(text(200)),
  user: v.optional(text(64)),
  began: v.optional(time),
  /** Milliseconds since 1970. */
  since: v.optional(time),
  /** Who began it, when it was a kick. */
  by: v.optional(text(330)),
  job: v.optional(UuidSchema),
  /** Milliseconds since 1970: when it last told anything. */
  progressAt: v.optional(time),
  /** Why it seems to be stuck: it is over its limit, or has told nothing for too long. */
  stuck: v.optional(text(200)),
  /** What an operator can do about it, where kick does nothing. */
  next: v.optional(text(1024)),
});

export const LogLineSchema = v.object({
  level: v.picklist(['debug', 'info', 'notice', 'warning', 'err', 'alert', 'emerg', 'crit', 'output']),
  source: v.optional(text(1024)),
  message: text(8192),
  file: v.optional(text(1024)),
  line: v.optional(count),
});

/** The first error of a run, with its place in the code where Puppet tells one. */
export const RunErrorSchema = v.object({
  message: text(8192),
  source: v.optional(text(1024)),
  file: v.optional(text(1024)),
  line: v.optional(count),
});

/** What became of what somebody else had changed; `partly`: of some of it only. */
export const DriftSchema = v.picklist(['repaired', 'partly', 'found']);

/** What the run's own report says, where there is one. */
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
  /** Counts of resources, by Puppet's own names: total, changed, failed, out_of_sync, … */
  resources: v.optional(v.record(text(64), v.number())),
});

const Accepted = v.object({ type: v.literal('accepted'), version: text(64) });
const Waiting = v.object({
  type: v.literal('waiting'),
  holder: HolderSchema,
  /** Milliseconds since 1970: when it gives up. */
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
  /** Bytes of output that were not kept: the head and the tail are. */
  bytes: count,
});
/** What happened to one property of a resource, in Puppet's own words (a Sensitive value stays redacted). */
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
  /** `pending`: it would have changed, but for noop. */
  status: v.picklist(['changed', 'failed', 'pending']),
  corrective: v.optional(v.boolean()),
  file: v.optional(text(1024)),
  line: v.optional(count),
  events: v.pipe(v.array(ResourceEventSchema), v.maxLength(20)),
});

/** From the run's report, directly before `finished`; once or several times. */
const Resources = v.object({
  type: v.literal('resources'),
  resources: v.array(ResourceSchema),
  /** How many more there were: the list is bounded. */
  more: v.optional(count),
});
const Finished = v.object({
  type: v.literal('finished'),
  outcome: v.picklist(AGENT_OUTCOMES),
  run: v.optional(UuidSchema),
  /** Milliseconds since 1970; absent when no run began. */
  startedAt: v.optional(time),
  endedAt: time,
  /** The process's exit status, 128 + n for a signal. */
  exit: v.optional(count),
  /** One sentence for people: why it is this outcome. */
  message: v.optional(text(2048)),
  /** The holder of the lock, with `busy`. */
  holder: v.optional(HolderSchema),
  error: v.optional(RunErrorSchema),
  facts: v.optional(RunFactsSchema),
});

export const EventSchema = v.variant('type', [Accepted, Waiting, Started, Log, Dropped, Resources, Finished]);

/** What is kept and sent: an event, its number within the request's stream and its time. */
export const StoredEventSchema = v.intersect([
  v.object({ seq: v.pipe(count, v.minValue(1)), at: time }),
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
export type FinishedEvent = v.InferOutput<typeof Finished>;

/** The sign of life between two events; it has no number and is not kept. */
export const ALIVE_LINE = '{"type":"alive"}\n';

const limits: JsonLimits = { maxBytes: MAX_EVENT_BYTES, maxDepth: 8 };

export function encodeEvent(event: StoredEvent): string {
  return `${JSON.stringify(event)}\n`;
}

const TYPES: readonly string[] = EventSchema.options.map(({ entries }) => entries.type.literal);

/**
 * One line of a stream; throws `JsonError` or valibot's `ValiError`. An event of a type that we do not
 * know (a later agent's) is a sign of life and nothing more.
 */
export function decodeEvent(line: Uint8Array): StoredEvent | { type: 'alive' } {
  const value = parseJson(line, limits);
  const typed = v.safeParse(v.object({ type: v.pipe(v.string(), v.maxLength(64)) }), value);
  if (typed.success && !TYPES.includes(typed.output.type)) return { type: 'alive' };
  return v.parse(StoredEventSchema, value);
}
