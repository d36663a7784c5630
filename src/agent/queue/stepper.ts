/** One step of the queue: end requests that have waited too long, report who holds the lock, or start a run. */
import type { Holder } from '../../protocol/event.ts';
import { disabledText } from '../disabling.ts';
import type { CurrentRun } from './current-run.ts';
import type { QueueDeps } from './queue-deps.ts';
import type { WaitingList } from './waiting-list.ts';

/** Milliseconds between checks of a lock that is not ours. */
const LOOK_MS = 250;

/** Milliseconds to read Puppet's settings and locks; Puppet itself gets a minute of these. */
const GATE_MS = 150_000;

export interface StepperDeps extends Pick<QueueDeps, 'runner' | 'clock' | 'gateMs'> {
  waiting: WaitingList;
  current: Pick<CurrentRun, 'holder'>;
  /** Returns the holder if the lock is held. */
  begin(): Promise<Holder | undefined>;
}

export interface Stepper {
  /** Resolves to the milliseconds until the next step even if nothing happens; undefined: never. */
  step(): Promise<number | undefined>;
  /** Who else held the lock when it was last checked. */
  elsewhere(): Holder | undefined;
}

export function createStepper(deps: StepperDeps): Stepper {
  const { waiting, current, begin } = deps;
  let elsewhere: Holder | undefined;
  return {
    elsewhere: () => elsewhere,
    async step() {
      await waiting.expire(current.holder() ?? elsewhere);
      if (waiting.count() === 0) {
        elsewhere = undefined;
        return undefined;
      }
      const holder = current.holder();
      if (holder !== undefined) {
        await waiting.report(holder);
        return waiting.nextDeadlineMs();
      }
      const found = await lookAtPuppet(deps);
      if ('ending' in found) {
        await waiting.finishAll(found.ending);
        return undefined;
      }
      elsewhere = found.holder ?? (await begin());
      if (elsewhere === undefined) return 0;
      await waiting.report(elsewhere);
      return waiting.count() > 0 ? Math.min(LOOK_MS, waiting.nextDeadlineMs()) : undefined;
    },
  };
}

type Found = { holder: Holder | undefined } | { ending: { outcome: 'disabled' | 'failed'; message: string } };

/** Whether Puppet's files allow a run to start: who holds its lock, or how requests end. */
async function lookAtPuppet({ runner, clock, gateMs = GATE_MS }: StepperDeps): Promise<Found> {
  const gate = await within(runner.gate(clock.now()), gateMs, "look at Puppet's settings and locks");
  switch (gate.state) {
    case 'disabled':
      return { ending: { outcome: 'disabled', message: disabledText(gate.disabled) } };
    case 'unclear':
      return { ending: { outcome: 'failed', message: gate.problem } };
    case 'held':
      return { holder: gate.holder };
    case 'free':
      return { holder: undefined };
  }
}

async function within<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: no end after ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
