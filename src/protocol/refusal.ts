/** Why an agent refuses. The codes are stable: scripts and audits rely on them. */
import * as v from 'valibot';
import { matching, text, timeInSeconds } from '../util/bounds.ts';
import { boundedArray } from '../util/schema.ts';
import { clip } from '../util/text.ts';

/** What each code means to the operator; `next` is what to do about it. */
export const REFUSALS = {
  'too-large': { means: 'the request is larger than the agent reads' },
  malformed: { means: 'the request is not one that this agent can read' },
  unsupported: {
    means: 'the agent does not support this operation or option',
    next: 'leave the option out, or bring both sides to the same version of kick; with runner: command an agent takes no option of Puppet',
  },
  'peer-mismatch': { means: "the request is signed with another certificate than the connection's" },
  signature: { means: 'the signature does not fit the request' },
  issuer: { means: "the request's issuer is not the one common name of the signing certificate" },
  'controller-not-allowed': {
    means: 'this host does not accept requests from this controller',
    next: 'name it under controllers: in agent.yaml there',
  },
  audience: { means: 'the request is for another host' },
  'job-conflict': { means: 'this job asked this host for something else before' },
  gone: { means: 'this job was handled, but its outcome is no longer kept' },
  'clock-skew': {
    means: "the two hosts' clocks differ by more than a minute",
    next: 'check NTP on both hosts, then kick again',
  },
  expired: {
    means: 'the request was signed too long ago, or is valid for too long',
    next: 'kick again; if that does not help, check NTP on both hosts',
  },
  policy: {
    means: "the host's own policy does not allow this controller to do this",
    next: 'see controllers: in its agent.yaml',
  },
  'no-space': {
    means: 'the run folder or the state directory is full, or cannot be written',
    next: "make room there (the agent's log says more), then kick again",
  },
  'queue-full': {
    means: 'too many requests are waiting on this host already',
    next: 'kick again when they are done',
  },
  stopping: {
    means: 'kick agent is being stopped or restarted',
    next: 'kick again in a moment; if this goes on, its log says why',
  },
  'unknown-job': { means: 'the agent does not know this job' },
  internal: { means: 'the agent had an internal error', next: "see the agent's log" },
} as const satisfies Record<string, { means: string; next?: string }>;

export type RefusalCode = keyof typeof REFUSALS;

/** For codes that only a newer agent has. */
const NEWER: RefusalRow = {
  means: 'the agent refuses for a reason that this version of kick does not know',
  next: "see the agent's log; a newer kick here explains it",
};

interface RefusalRow {
  readonly means: string;
  readonly next?: string;
}

export const isKnownCode = (code: string): code is RefusalCode => Object.hasOwn(REFUSALS, code);

/** What a code means to the operator, also one of a newer agent. */
export const refusalRow = (code: string): RefusalRow => (isKnownCode(code) ? REFUSALS[code] : NEWER);

/** What is sent: a stable code, and only what the sender cannot know otherwise. A newer agent may send another code. */
export const RefusalSchema = v.object({
  code: matching(/^[a-z][a-z-]{0,63}$/, 'not a code of a refusal'),
  /** The agent's version of kick, with `unsupported` and `malformed`. */
  version: v.optional(text(64)),
  /** What the agent does not know, with `unsupported`: `action.noop`, `queue.wait`. */
  unknown: v.optional(boundedArray(text(64), 8)),
  /** What runs there and does not take such options, with `unsupported`. */
  runner: v.optional(text(64)),
  /** The agent's time in seconds since 1970, with `clock-skew` and `expired`. */
  time: v.optional(timeInSeconds),
});

export type RefusalBody = v.InferOutput<typeof RefusalSchema>;

/** Characters of a detail: what is refused may be long, and the log is ours. */
const MAX_DETAIL = 1000;

/** What to do about a refusal, beside what its words say; undefined where there is nothing to say. */
export function nextStep({ code, runner, version }: RefusalBody): string | undefined {
  if (runner === 'command')
    return `its agent runs a command of its own (runner: command), which takes no options of Puppet`;
  if (runner !== undefined)
    return `leave the option out: its agent.yaml says runner: ${runner}, which does not take it`;
  if (code === 'unsupported' && version !== undefined) return undefined;
  return refusalRow(code).next;
}

/** Thrown by a step of admission. `detail` is for the agent's own log and never sent. */
export class Refusal extends Error {
  readonly body: RefusalBody & { code: RefusalCode };

  constructor(code: RefusalCode, detail: string, extra: Omit<RefusalBody, 'code'> = {}) {
    super(clip(detail, MAX_DETAIL));
    this.name = 'Refusal';
    this.body = { code, ...extra };
  }

  get code(): RefusalCode {
    return this.body.code;
  }
}
