/**
 * The agent's seam "how a run begins and ends" without processes: a folder as ever, a timer in place of
 * Puppet. Admission, queue, request log, event files and listener are the agent's own.
 */

import { readDisabled } from '../../agent/puppet/disabled-lock.ts';
import type { Runner } from '../../agent/runners/runner.ts';
import type { LiveRun } from '../../agent/runs/live-run.ts';
import { finishedEvent, type RunEnd } from '../../agent/runs/run-end.ts';
import type { Intention } from '../../agent/runs/run-record.ts';
import type { RunSteps } from '../../agent/runs/run-steps.ts';
import type { LogLine, RunFacts } from '../../protocol/event.ts';
import type { LastRun } from '../../protocol/status.ts';
import { bootId } from '../../util/proc.ts';
import { drawOutcome, drawTime, type Ending, type Random, type Shape } from './run-shape.ts';
import { FAILURE, type Told, toldOf } from './told.ts';

/** Maximum number of log events that a run spreads its lines over. */
const PIECES = 10;

const NO_WRAPPER = {
  process: { pid: 0, start: 'simulated' },
  inner: { pid: 0, start: 'simulated' },
  ended: Promise.resolve(),
  release() {},
  abandon() {},
};

/** The runner of one host; `latest` is what its runs have left behind. */
export const simulatedRunner = (latest: LatestRun, disabledLock?: string): Runner => ({
  name: 'command',
  title: 'simulated run',
  puppetVersion: async () => undefined,
  unsupported: () => [],
  async disabledLock() {
    if (disabledLock === undefined) throw new Error('a simulated host cannot be switched off');
    return disabledLock;
  },
  async gate() {
    const disabled = disabledLock === undefined ? undefined : await readDisabled(disabledLock);
    return disabled === undefined ? { state: 'free' } : { state: 'disabled', disabled };
  },
  plan: () => Promise.reject(new Error('a simulated run has no plan')),
  judge: () => Promise.reject(new Error('a simulated run is not judged')),
  untrusted: async () => [],
  resources: async () => [],
  lastRun: async () => latest.run,
  runinterval: async () => undefined,
  catalogProblem: async () => 'a simulated run has no catalog',
  classes: async () => undefined,
});

/** In place of Puppet's report. */
export interface LatestRun {
  run?: LastRun;
}

/** Resources that a simulated catalog has. */
const TOTAL = 100;

interface Report {
  startedAt: number;
  endedAt: number;
  facts: RunFacts | undefined;
}

/** A run that came to its end leaves a report, any other leaves the one before. */
function leaveReport(
  latest: LatestRun,
  outcome: Ending,
  { startedAt: at, endedAt, facts = {} }: Report,
): void {
  const total = (endedAt - at) / 1000;
  const resources = { total: TOTAL, changed: 0, failed: 0, out_of_sync: 0 };
  const pending = { ...resources, out_of_sync: 1 };
  const { configurationVersion, environment } = facts;
  const common = {
    ...{ at, times: { total } },
    ...(configurationVersion !== undefined && { configurationVersion }),
    ...(environment !== undefined && { environment }),
  };
  switch (outcome) {
    case 'unchanged':
      latest.run = { ...common, status: 'unchanged', resources };
      break;
    case 'changed':
      latest.run = { ...common, status: 'changed', resources: { ...pending, changed: 1 } };
      break;
    case 'would-change':
      latest.run = { ...common, status: 'unchanged', noop: true, resources: pending };
      break;
    case 'failed':
      latest.run = { ...common, status: 'failed', resources: { ...pending, failed: 1 } };
      break;
    default:
  }
}

export interface SimulatedStepsOptions {
  random: Random;
  latest: LatestRun;
}

export function simulatedSteps(shape: Shape, { random, latest }: SimulatedStepsOptions): RunSteps {
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
      const { pause, end, over } = endable();

      async function live(): Promise<RunEnd> {
        const started = {
          ...({ type: 'started', run, pid: 1, at: startedAt } as const),
          ...(serves !== undefined && { serves }),
        };
        await runs.append(run, [started]);
        notifier.notify(run);
        const drawn = drawOutcome(shape.outcomes, random);
        const told = shape.isTold && toldOf(drawn, record.action, random);
        const pieces = told?.log.map((line) => [line]) ?? piecesOf(shape.logLines);
        for (const lines of pieces) {
          await pause(ms / pieces.length);
          const how = over();
          if (how !== undefined) return how;
          if (lines.length === 0) continue;
          await runs.append(run, [{ type: 'log', lines, at: clock.now() }]);
          notifier.notify(run);
        }
        const span = { startedAt, endedAt: clock.now() };
        if (told !== undefined && told.resources.length > 0) {
          const { resources } = told;
          await runs.append(run, [{ type: 'resources', resources, at: span.endedAt }]);
        }
        const outcome = told?.outcome ?? drawn;
        leaveReport(latest, outcome, { ...span, facts: told?.facts });
        const ending = { ...verdictOf(outcome, told), ...(told && { facts: told.facts }) };
        return finishedEvent(record, ending, span);
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

/** Pauses that an end from outside cuts short. */
function endable() {
  let over: RunEnd | undefined;
  let wake = () => {};
  return {
    over: () => over,
    end(how: RunEnd) {
      over ??= how;
      wake();
    },
    pause: (length: number) =>
      new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, length);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
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

function verdictOf(outcome: Ending, told: Told | undefined) {
  if (outcome !== 'failed') return { outcome };
  if (told !== undefined) return { outcome, error: FAILURE };
  const error = { message: 'a simulated failure', source: 'Service[httpd]', file: '/fleet.pp', line: 1 };
  return { outcome, error };
}
