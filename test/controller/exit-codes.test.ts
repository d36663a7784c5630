/**
 * DESIGN 3: every end that a job can have, and the exit code that says what its outcomes say.
 * Long because it is one table of jobs.
 */
import { afterEach, expect, test, vi } from 'vitest';
import type { HostResult, JobEvent, Rollout, StopReason } from '../../src/controller/jobs/job.ts';
import { judgeJob, type VerdictPolicy } from '../../src/controller/jobs/verdict.ts';
import type { RunJobOptions } from '../../src/controller/rollout/rolling.ts';
import { OUTCOME_NAMES, OUTCOMES, type Outcome } from '../../src/protocol/outcome.ts';
import { accepted, failure, finished, refusal, run, type Script, started } from './scripted.ts';

const HOUR = 3_600_000;

afterEach(() => {
  vi.useRealTimers();
});

const ends =
  (outcome: 'changed' | 'failed' | 'disabled' | 'cancelled' | 'busy'): Script =>
  () => [accepted, started(), finished(3, { outcome })];
const good = ends('changed');
const failed = ends('failed');
const away: Script = () => [failure('connection-refused')];
const refused: Script = () => [refusal('policy')];
const lost: Script = (kind) =>
  kind === 'submit' ? [accepted, started(), failure('broken', true)] : [refusal('gone')];
const silent: Script = () => [accepted, started(), new Promise(() => {})];
/** The request was sent, and nothing came back. */
const mute: Script = () => [new Promise(() => {})];

interface Case {
  hosts: Script[];
  rollout?: Rollout;
  options?: Partial<RunJobOptions> & { concurrency?: number };
  policy?: Partial<VerdictPolicy>;
  /** When --timeout comes. */
  timeout?: (event: JobEvent) => boolean;
  /** Aborts when this event comes. */
  on?: { event: (event: JobEvent) => boolean; abort: AbortController };
  stopped?: StopReason;
  outcomes: Outcome[];
  exit: number;
}

const isStarted = (event: JobEvent) => event.type === 'host-event' && event.event.type === 'started';
/** True once all of these have come: `started h0`, `host-done h1`. */
function after(...wanted: string[]): (event: JobEvent) => boolean {
  const left = new Set(wanted);
  return (event) => {
    const certname =
      event.type === 'host-done' ? event.result.certname : 'certname' in event ? event.certname : '';
    left.delete(`${event.type === 'host-event' ? event.event.type : event.type} ${certname}`.trim());
    return left.size === 0;
  };
}

const n = (count: number) => ({ count, unit: 'hosts' as const });

function aborting(name: 'signal' | 'stop', event: (event: JobEvent) => boolean) {
  const abort = new AbortController();
  return { options: { [name]: abort.signal, concurrency: 1 }, on: { event, abort } };
}

const detaching = aborting('signal', ({ type }) => type === 'host-done');

const CASES: Record<string, Case> = {
  'all well': { hosts: [good, good], outcomes: ['changed', 'changed'], exit: 0 },
  'one failed': { hosts: [good, failed], outcomes: ['changed', 'failed'], exit: 1 },
  'one unreachable': { hosts: [good, away], outcomes: ['changed', 'unreachable'], exit: 3 },
  'one refused': { hosts: [good, refused], outcomes: ['changed', 'refused'], exit: 3 },
  'one lost': { hosts: [good, lost], outcomes: ['changed', 'lost'], exit: 3 },
  'one disabled': { hosts: [good, ends('disabled')], outcomes: ['changed', 'disabled'], exit: 4 },
  'one busy': { hosts: [good, ends('busy')], outcomes: ['changed', 'busy'], exit: 4 },
  'one cancelled': { hosts: [good, ends('cancelled')], outcomes: ['changed', 'cancelled'], exit: 4 },
  'the worst of all decides': {
    hosts: [ends('disabled'), away, failed],
    outcomes: ['disabled', 'unreachable', 'failed'],
    exit: 1,
  },

  'a canary that is unreachable': {
    hosts: [away, good],
    rollout: { canary: 1 },
    stopped: 'canary',
    outcomes: ['unreachable', 'not-started'],
    exit: 3,
  },
  'a canary that failed': {
    hosts: [failed, good],
    rollout: { canary: 1 },
    stopped: 'canary',
    outcomes: ['failed', 'not-started'],
    exit: 1,
  },
  'a canary that is disabled': {
    hosts: [ends('disabled'), good],
    rollout: { canary: 1 },
    stopped: 'canary',
    outcomes: ['disabled', 'not-started'],
    exit: 4,
  },
  'an accepted canary stops all the same': {
    hosts: [away, good],
    rollout: { canary: 1 },
    policy: { accept: ['unreachable'] },
    stopped: 'canary',
    outcomes: ['unreachable', 'not-started'],
    exit: 4,
  },
  'a canary where all that happened is accepted: what it stopped for counts': {
    hosts: [away, good],
    rollout: { canary: 1 },
    policy: { accept: ['unreachable', 'not-started'] },
    stopped: 'canary',
    outcomes: ['unreachable', 'not-started'],
    exit: 3,
  },
  'the failure budget': {
    hosts: [failed, failed, good],
    rollout: { maxFailures: n(1) },
    options: { concurrency: 1 },
    stopped: 'max-failures',
    outcomes: ['failed', 'failed', 'not-started'],
    exit: 1,
  },
  'the failure budget, spent on hosts that were lost': {
    hosts: [lost, good],
    rollout: { maxFailures: n(0) },
    options: { concurrency: 1 },
    stopped: 'max-failures',
    outcomes: ['lost', 'not-started'],
    exit: 3,
  },
  'the failure budget and --success: enough is not enough': {
    hosts: [good, good, failed, good],
    rollout: { maxFailures: n(0) },
    options: { concurrency: 1 },
    policy: { success: 50 },
    stopped: 'max-failures',
    outcomes: ['changed', 'changed', 'failed', 'not-started'],
    exit: 1,
  },
  'the budget for unreachable hosts': {
    hosts: [away, good],
    rollout: { maxUnreachable: n(0) },
    options: { concurrency: 1 },
    stopped: 'max-unreachable',
    outcomes: ['unreachable', 'not-started'],
    exit: 3,
  },
  'the deadline for unreachable hosts': {
    hosts: [away, good],
    rollout: { deadlineMs: 30 },
    options: { retryAfterMs: 10 },
    outcomes: ['unreachable', 'changed'],
    exit: 3,
  },
  'no to the question between two batches': {
    hosts: [good, good],
    rollout: { batches: [n(1)], confirm: true },
    options: { confirm: async () => false },
    stopped: 'declined',
    outcomes: ['changed', 'not-started'],
    exit: 4,
  },
  'no to the question, and enough hosts are done by --success': {
    hosts: [good, good],
    rollout: { batches: [n(1)], confirm: true },
    options: { confirm: async () => false },
    policy: { success: 50 },
    stopped: 'declined',
    outcomes: ['changed', 'not-started'],
    exit: 0,
  },
  '--timeout': {
    hosts: [silent, good],
    timeout: after('started h0', 'host-done h1'),
    stopped: 'timeout',
    outcomes: ['unfinished', 'changed'],
    exit: 4,
  },
  '--timeout after the failure budget': {
    hosts: [failed, silent],
    rollout: { maxFailures: n(0) },
    timeout: after('stopping', 'started h1'),
    policy: { success: 50 },
    stopped: 'max-failures',
    outcomes: ['failed', 'unfinished'],
    exit: 1,
  },
  'Ctrl-C': {
    hosts: [silent, good],
    ...aborting('signal', isStarted),
    stopped: 'interrupted',
    outcomes: ['unfinished', 'not-started'],
    exit: 130,
  },
  'Ctrl-C, whatever is accepted': {
    hosts: [silent, good],
    ...aborting('signal', isStarted),
    policy: { accept: ['unfinished', 'not-started'] },
    stopped: 'interrupted',
    outcomes: ['unfinished', 'not-started'],
    exit: 130,
  },
  'kick jobs stop': {
    hosts: [good, good],
    ...aborting('stop', isStarted),
    stopped: 'stopped',
    outcomes: ['changed', 'not-started'],
    exit: 4,
  },

  '--detach': {
    hosts: [silent, silent],
    options: { detach: true },
    outcomes: ['unfinished', 'unfinished'],
    exit: 0,
  },
  '--detach, one unreachable': {
    hosts: [silent, away],
    options: { detach: true },
    outcomes: ['unfinished', 'unreachable'],
    exit: 3,
  },
  '--detach and --timeout: a host that has not accepted is not as asked': {
    hosts: [silent, mute],
    options: { detach: true },
    timeout: after('host-done h0', 'request-signed h1'),
    stopped: 'timeout',
    outcomes: ['unfinished', 'unfinished'],
    exit: 4,
  },
  '--detach and Ctrl-C': {
    hosts: [silent, silent],
    on: detaching.on,
    options: { ...detaching.options, detach: true },
    stopped: 'interrupted',
    outcomes: ['unfinished', 'not-started'],
    exit: 130,
  },

  '--success': { hosts: [good, failed], policy: { success: 50 }, outcomes: ['changed', 'failed'], exit: 0 },
  '--success, missed': {
    hosts: [good, failed],
    policy: { success: 51 },
    outcomes: ['changed', 'failed'],
    exit: 1,
  },
  '--success with --accept': {
    hosts: [good, away, failed],
    policy: { success: 60, accept: ['unreachable'] },
    outcomes: ['changed', 'unreachable', 'failed'],
    exit: 0,
  },
  '--accept': {
    hosts: [good, away],
    policy: { accept: ['unreachable'] },
    outcomes: ['changed', 'unreachable'],
    exit: 0,
  },
  '--accept of something else': {
    hosts: [good, away],
    policy: { accept: ['disabled'] },
    outcomes: ['changed', 'unreachable'],
    exit: 3,
  },
  'hosts that could not be judged': {
    hosts: [good],
    policy: { partial: true },
    outcomes: ['changed'],
    exit: 3,
  },
  'hosts that could not be judged, and worse': {
    hosts: [failed],
    policy: { partial: true },
    outcomes: ['failed'],
    exit: 1,
  },
  'hosts that could not be judged, and less': {
    hosts: [ends('disabled')],
    policy: { partial: true },
    outcomes: ['disabled'],
    exit: 3,
  },

  'resumed: what an earlier controller has seen counts': {
    hosts: [good, good],
    options: { before: beforeOf({ certname: 'h0', outcome: 'failed', endedAt: 1 }) },
    outcomes: ['failed', 'changed'],
    exit: 1,
  },
  'resumed after --detach: the end is looked for': {
    hosts: [(kind) => (kind === 'resume' ? [started(2), finished(3)] : [])],
    options: { before: { results: new Map(), after: new Map([['h0', 1]]) } },
    outcomes: ['changed'],
    exit: 0,
  },
  'resumed after --detach, and stopped before the end': {
    hosts: [silent],
    options: { before: { results: new Map(), after: new Map([['h0', 1]]) } },
    timeout: after('started h0'),
    stopped: 'timeout',
    outcomes: ['unfinished'],
    exit: 4,
  },
};

function beforeOf(...results: HostResult[]): NonNullable<RunJobOptions['before']> {
  return { results: new Map(results.map((result) => [result.certname, result])), after: new Map() };
}

test.each(Object.entries(CASES))(
  '%s',
  async (_what, { hosts, rollout, options, policy, timeout, on, ...expected }) => {
    if (timeout !== undefined) vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const done = await run(Object.fromEntries(hosts.map((script, index) => [`h${index}`, script])), {
      ...(rollout !== undefined && { rollout }),
      ...options,
      ...(timeout !== undefined && { timeoutMs: HOUR }),
      emit(event) {
        if (timeout?.(event) === true) vi.advanceTimersByTime(HOUR);
        if (on?.event(event) === true) on.abort.abort();
      },
    });
    const { exit } = judgeJob(done.results, { accept: [], ...policy }, done.stopped);
    const outcomes = done.results.map(({ outcome }) => outcome);
    expect({ outcomes, stopped: done.stopped, exit }).toEqual({ stopped: undefined, ...expected });
  },
);

test('without a policy the exit code is that of the table, alone and beside a success', () => {
  const resultOf = (outcome: Outcome): HostResult => ({ certname: outcome, outcome, endedAt: 1 });
  for (const outcome of OUTCOME_NAMES) {
    const { exit } = OUTCOMES[outcome];
    expect(judgeJob([resultOf(outcome)], { accept: [] }).exit).toBe(exit);
    expect(judgeJob([resultOf('changed'), resultOf(outcome)], { accept: [] }).exit).toBe(exit);
    expect(judgeJob([resultOf(outcome)], { accept: [outcome] }).exit).toBe(0);
  }
});
