/** A run that is over: what its folder tells of it, put before the judge. */
import type { Disabled } from '../../protocol/status.ts';
import type { Clock } from '../../util/clock.ts';
import { bootId } from '../../util/proc.ts';
import type { EndedRun, Runner } from '../runners/runner.ts';
import { onReportAlone } from '../runs/lost-run.ts';
import { finishedEvent, type RunEnd } from '../runs/run-end.ts';
import type { Intention, RunRecord } from '../runs/run-record.ts';
import type { RunStore } from '../runs/run-store.ts';
import { endedBySignal } from './ended-early.ts';
import type { Ending } from './evidence.ts';
import { createLogReader, type LogFindings, type LogReaderOptions } from './log-findings.ts';

export interface JudgeDeps {
  runs: RunStore;
  runner: Runner;
  clock: Clock;
  /** What Puppet was disabled for when kick agent has enabled it since, milliseconds since 1970. */
  enabledSince?(at: number): Disabled | undefined;
}

export interface JudgedRun {
  startedAt?: number | undefined;
  /** Its resources are, by an agent that was killed before it could settle the run. */
  isTold: boolean;
  /** Why it was ended, where that could not be written down. */
  intended?: Intention | undefined;
}

export async function judgeRun(
  record: RunRecord,
  { runs, runner, clock, enabledSince }: JudgeDeps,
  { startedAt, isTold, intended }: JudgedRun,
): Promise<RunEnd> {
  const { run, boot, action, puppet } = record;
  const { started, exit, notes } = await runs.wrapperFiles(run);
  const intention = (await runs.intention(run)) ?? intended;
  const isLive = await runs.isLive(run);
  const [dir, now] = [runs.liveDir(run), clock.now()];
  const enabledMeanwhile = enabledSince?.(startedAt ?? record.createdAt);
  const ended: EndedRun = {
    ...{ run, dir, action, exit, notes, startedAt, now, intention, enabledMeanwhile, puppet },
    readLog: (runLock) => readLog(run, runs, { runLock, pid: started?.process.pid }),
  };
  const isLost = exit === undefined && intention === undefined && !(isLive && boot === bootId());
  const judged = await runner.judge(ended);
  const verdict = isLost ? onReportAlone(judged, boot) : judged;
  const finished = (ending: Ending) =>
    finishedEvent(record, ending, { exit, startedAt, endedAt: clock.now() });
  if (verdict.outcome === 'race-lost') {
    return { type: 'race-lost', isHeld: verdict.isHeld, otherwise: finished(verdict.otherwise) };
  }
  if (!isTold && isLive) {
    const resources = await runner.resources(ended);
    if (resources.length > 0)
      await runs.append(
        run,
        resources.map((event) => ({ ...event, at: now })),
      );
  }
  return finished(verdict);
}

/** It was let go, and the wrapper ended all the same: killed, or it could not write. */
export async function neverBegan(record: RunRecord, { runs, clock }: JudgeDeps): Promise<RunEnd> {
  const { run, action } = record;
  const { exit } = await runs.wrapperFiles(run);
  const log = await readLog(run, runs);
  const bySignal = exit === undefined ? undefined : endedBySignal({ action, exit, log });
  const said = log.error === undefined ? '' : `: ${log.error.message}`;
  const failed: Ending = { outcome: 'failed', message: `the run could not be started${said}` };
  const ending = (await runs.intention(run)) ?? bySignal ?? failed;
  return finishedEvent(record, ending, { exit, endedAt: clock.now() });
}

async function readLog(run: string, runs: RunStore, options?: LogReaderOptions): Promise<LogFindings> {
  const reader = createLogReader(options);
  for (let offset = 0; ; ) {
    const chunk = await runs.events(run, offset);
    if (chunk.events.length === 0) return reader.findings();
    offset = chunk.offset;
    for (const event of chunk.events) {
      for (const line of event.type === 'log' ? event.lines : []) reader.add(line);
    }
  }
}
