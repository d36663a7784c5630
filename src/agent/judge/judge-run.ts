/** Judges a run that is over from the files in its folder. */
import { isUnwritable } from '../../errors.ts';
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
  /** Why Puppet was disabled, if kick agent has enabled it since `at` (milliseconds since 1970). */
  enabledSince?(at: number): Disabled | undefined;
}

export interface JudgedRun {
  startedAt?: number | undefined;
  /** Whether its resources were reported by an agent that was killed before it could settle the run. */
  isReported: boolean;
  /** Why it was ended, as who ended it knows. */
  intended?: Intention | undefined;
  /** Its events lack some of what it printed, and may not say so. */
  isCut?: boolean | undefined;
}

export async function judgeRun(
  record: RunRecord,
  { runs, runner, clock, enabledSince }: JudgeDeps,
  { startedAt, isReported, intended, isCut }: JudgedRun,
): Promise<RunEnd> {
  const { run, boot, action, puppet } = record;
  const { started, exit, notes, damaged } = await runs.wrapperFiles(run, record.inner);
  const stored = await runs.intention(run);
  const intention = intended ?? stored;
  const isLive = await runs.isLive(run);
  const [dir, now] = [runs.liveDir(run), clock.now()];
  const enabledMeanwhile = enabledSince?.(startedAt ?? record.createdAt);
  const ended: EndedRun = {
    run,
    dir,
    action,
    exit,
    notes,
    startedAt,
    now,
    intention,
    enabledMeanwhile,
    puppet,
    readLog: (runLock) => readLog(run, runs, { runLock, pid: started?.process.pid, isCut }),
  };
  const isLost = exit === undefined && intention === undefined && !(isLive && boot === bootId());
  const judged = await runner.judge(ended);
  const known = isLost ? onReportAlone(judged, boot) : judged;
  const verdict = damaged.includes('exit') && known.outcome === 'interrupted' ? EXIT_DAMAGED : known;
  const finished = (ending: Ending) =>
    finishedEvent(record, ending, { exit, startedAt, endedAt: clock.now() });
  if (verdict.outcome === 'race-lost') {
    return { type: 'race-lost', isHeld: verdict.isHeld, otherwise: finished(verdict.otherwise) };
  }
  if (!isReported && isLive) {
    const resources = await runner.resources(ended);
    if (resources.length > 0) {
      const kept = resources.map((event) => ({ ...event, at: now }));
      await runs.append(run, kept).catch((error: unknown) => {
        if (!isUnwritable(error)) throw error; // they are news: the outcome does not depend on them
      });
    }
  }
  return finished(verdict);
}

/** Without its exit status a run counts as ended early, which may be wrong if there was one. */
const EXIT_DAMAGED: Ending = {
  outcome: 'failed',
  message: 'the record is damaged: the exit status of the run cannot be read, and no report of it is left',
};

/** Judges a run that was released but never began: the wrapper was killed, or could not write. */
export async function neverBegan(
  record: RunRecord,
  { runs, clock }: JudgeDeps,
  { intended }: Pick<JudgedRun, 'intended'>,
): Promise<RunEnd> {
  const { run, action } = record;
  const { exit } = await runs.wrapperFiles(run);
  const log = await readLog(run, runs);
  const bySignal = exit === undefined ? undefined : endedBySignal({ action, exit, log });
  const said = log.error === undefined ? '' : `: ${log.error.message}`;
  const failed: Ending = { outcome: 'failed', message: `the run could not be started${said}` };
  const ending = intended ?? (await runs.intention(run)) ?? bySignal ?? failed;
  return finishedEvent(record, ending, { exit, endedAt: clock.now() });
}

async function readLog(
  run: string,
  runs: RunStore,
  { isCut = false, ...options }: LogReaderOptions & Pick<JudgedRun, 'isCut'> = {},
): Promise<LogFindings> {
  const reader = createLogReader(options);
  let isLacking = isCut;
  for (let offset = 0; ; ) {
    const chunk = await runs.events(run, offset);
    if (chunk.events.length === 0) {
      const findings = reader.findings();
      return isLacking ? { ...findings, isSilent: false, isCut: true } : findings;
    }
    offset = chunk.offset;
    for (const event of chunk.events) {
      isLacking ||= event.type === 'dropped';
      for (const line of event.type === 'log' ? event.lines : []) reader.add(line);
    }
  }
}
