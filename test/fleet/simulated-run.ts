/**
 * The agent's seam "how a run begins and ends" without processes: a folder as ever, a timer in place of
 * Puppet. Admission, queue, request log, event files and listener are the agent's own.
 */

import type { Runner } from '../../src/agent/runners/runner.ts';
import type { LiveRun } from '../../src/agent/runs/live-run.ts';
import { finishedEvent, type RunEnd } from '../../src/agent/runs/run-end.ts';
import type { Intention } from '../../src/agent/runs/run-record.ts';
import type { RunSteps } from '../../src/agent/runs/run-steps.ts';
import type { LogLine } from '../../src/protocol/event.ts';
import { bootId } from '../../src/util/proc.ts';
import { drawOutcome, drawTime, type Ending, type Random, type Shape } from './shape.ts';

/** Log events a run spreads its lines over at the most. */
const PIECES = 10;

const NO_WRAPPER = {
  process: { pid: 0, start: 'simulated' },
  inner: { pid: 0, start: 'simulated' },
  ended: Promise.resolve(),
  letGo() {},
  abandon() {},
};

export const simulatedRunner: Runner = {
  name: 'command',
  title: 'simulated run',
  puppetVersion: async () => undefined,
  unsupported: () => [],
  disabledLock: () => Promise.reject(new Error('a simulated host cannot be switched off')),
  gate: async () => ({ state: 'free' }),
  plan: () => Promise.reject(new Error('a simulated run has no plan')),
  judge: () => Promise.reject(new Error('a simulated run is not judged')),
  resources: async () => [],
  lastRun: async () => undefined,
  runinterval: async () => undefined,
  catalogProblem: async () => 'a simulated run has no catalog',
  classes: async () => undefined,
};

export function simulatedSteps(shape: Shape, random: Random): RunSteps {
  return {
    async prepare(run, { request }, { runs, clock }) {
      const { action, by, job } = request;
      const runRecord = { run, boot: bootId(), action, createdAt: clock.now(), by, job };
      await runs.create(runRecord);
      return { runRecord, wrapper: NO_WRAPPER };
    },
    follow(record, { runs, notifier, clock }, { serves } = {}): LiveRun {
      const { run } = record;
      const startedAt = clock.now();
      const ms = drawTime(shape.times, random);
      let over: RunEnd | undefined;
      let wake = () => {};
      const end = (how: RunEnd) => {
        over ??= how;
        wake();
      };

      async function live(): Promise<RunEnd> {
        const started = {
          ...({ type: 'started', run, pid: 1, at: startedAt } as const),
          ...(serves !== undefined && { serves }),
        };
        await runs.append(run, [started]);
        notifier.notify(run);
        const pieces = piecesOf(shape.logLines);
        for (const lines of pieces) {
          await pause(ms / pieces.length);
          if (over !== undefined) return over;
          if (lines.length === 0) continue;
          await runs.append(run, [{ type: 'log', lines, at: clock.now() }]);
          notifier.notify(run);
        }
        const outcome = drawOutcome(shape.outcomes, random);
        return finishedEvent(record, verdictOf(outcome), { startedAt, endedAt: clock.now() });
      }

      function pause(length: number): Promise<void> {
        return new Promise((resolve) => {
          const timer = setTimeout(resolve, length);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }

      return {
        record,
        ended: live(),
        pid: () => undefined,
        since: () => startedAt,
        progressAt: () => startedAt,
        overLimitMs: () => Number.NEGATIVE_INFINITY,
        leave: () => end('left'),
        async stop(intention: Intention) {
          end(finishedEvent(record, intention, { startedAt, endedAt: clock.now() }));
        },
      };
    },
  };
}

/** At least one piece: a run that prints nothing takes its time all the same. */
function piecesOf(count: number): LogLine[][] {
  const pieces: LogLine[][] = Array.from({ length: Math.max(1, Math.min(PIECES, count)) }, () => []);
  for (let i = 0; i < count; i++) {
    pieces[Math.floor((i * pieces.length) / count)]?.push({
      level: 'notice',
      source: `/Stage[main]/Fleet/Notify[${i}]/message`,
      message: `defined 'message' as 'line ${i} of a simulated run'`,
    });
  }
  return pieces;
}

function verdictOf(outcome: Ending) {
  if (outcome !== 'failed') return { outcome };
  const error = { message: 'a simulated failure', source: 'Service[httpd]', file: '/fleet.pp', line: 1 };
  return { outcome, error };
}
