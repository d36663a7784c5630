/** A sender that does what a case wants, and jobs that use it. */
import { onTestFinished, vi } from 'vitest';
import type { HostResult, Job, JobEvent, Rollout } from '../../src/controller/jobs/job.ts';
import type { RunJobOptions } from '../../src/controller/rollout/rolling.ts';
import { runJob } from '../../src/controller/rollout/run-job.ts';
import type { Identity } from '../../src/pki/identity.ts';
import type { FinishedEvent } from '../../src/protocol/event.ts';
import type { RefusalCode } from '../../src/protocol/refusal.ts';
import {
  type IncomingEvent,
  SendError,
  type Sender,
  type SendFailure,
  type Target,
} from '../../src/transport/transport.ts';
import { systemClock } from '../../src/util/clock.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { deferred } from '../support/deferred.ts';

export const identity = await mintCa().identity('puppet.example.com');
export const target = (certname: string): Target => ({ certname, host: certname, port: 8139 });

export function jobOf(names: string[], concurrency = 25, rollout?: Rollout): Job {
  return {
    id: '01900000-0000-7000-8000-000000000002',
    controller: identity.certname,
    by: { user: 'deploy', uid: 0, host: 'puppet' },
    action: { op: 'run' },
    targets: names.map(target),
    concurrency,
    ...(rollout !== undefined && { rollout }),
  };
}

/** What a host does with each try, in order: its events, or why the try fails. */
export type Step = (IncomingEvent | SendError | Promise<unknown> | (() => Promise<unknown>))[];
export type Script = (kind: 'submit' | 'resume', after: number, signal: AbortSignal) => Step;

export function scripted(scripts: Record<string, Script>): { sender: Sender; calls: string[] } {
  const calls: string[] = [];
  function play(to: Target, kind: 'submit' | 'resume', after: number, signal: AbortSignal) {
    calls.push(`${to.certname} ${kind} ${after}`);
    const steps = scripts[to.certname]?.(kind, after, signal) ?? [];
    return (async function* () {
      for (const step of steps) {
        if (step instanceof SendError) throw step;
        if (step instanceof Promise) await Promise.race([step, aborted(signal)]);
        else if (typeof step === 'function') await Promise.race([step(), aborted(signal)]);
        else yield step;
        if (signal.aborted) throw new SendError('aborted', 'aborted', { arrived: true });
      }
    })();
  }
  const unused = () => Promise.reject(new Error('not asked here'));
  return {
    calls,
    sender: {
      submit: async (to, _body, { signal }) => play(to, 'submit', 0, signal),
      resume: async (to, { after, signal }) => play(to, 'resume', after, signal),
      ...{ status: unused, command: unused, close() {} },
    },
  };
}

export const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });

export const accepted: IncomingEvent = { type: 'accepted', version: '1', seq: 1, at: 1 };
export const waiting: IncomingEvent = {
  type: 'waiting',
  holder: { what: 'puppet agent' },
  until: 9,
  seq: 2,
  at: 2,
};
export const started = (seq = 2): IncomingEvent => ({
  type: 'started',
  run: '01900000-0000-7000-8000-000000000003',
  seq,
  at: 3,
});
export const finished = (seq = 3, more: Partial<FinishedEvent> = {}): IncomingEvent => ({
  type: 'finished',
  outcome: 'changed',
  endedAt: 4,
  seq,
  at: 4,
  ...more,
});
export const failure = (name: SendFailure, arrived = false) =>
  new SendError(name, `it is ${name}`, { arrived });
export const refusal = (code: RefusalCode, arrived = false) =>
  new SendError('refused', code, { arrived, refusal: { code, version: '9' } });

export async function run(
  scripts: Record<string, Script>,
  {
    identity: own = identity,
    ...options
  }: Partial<RunJobOptions> & { identity?: Identity; concurrency?: number; rollout?: Rollout } = {},
) {
  const { sender, calls } = scripted(scripts);
  const events: JobEvent[] = [];
  const { results, stopped } = await runJob(
    jobOf(Object.keys(scripts), options.concurrency, options.rollout),
    {
      caller: async () => ({ sender, identity: own }),
      ...{ clock: systemClock, lostAfterMs: 600_000, signal: new AbortController().signal },
      ...options,
      emit(event) {
        events.push(event);
        options.emit?.(event);
      },
    },
  );
  return { results, stopped, calls, events };
}

/** Every run waits until `count` of them are on their way at once. */
export function barrier(count: number): () => Promise<void> {
  const { promise, resolve } = deferred();
  let waiting = 0;
  return () => {
    waiting += 1;
    if (waiting === count) resolve();
    return promise;
  };
}

/** Timers that only go on when a test says so. */
export function ownTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
}

export const only = ({ results }: { results: HostResult[] }) => results[0];
