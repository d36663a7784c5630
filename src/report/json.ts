/** For scripts: one document at the end, or one event a line. */
import type { HostResult, Job, JobEvent, StopReason } from '../controller/jobs/job.ts';
import { safeJson } from '../util/text.ts';
import { isoTime } from '../util/times.ts';
import type { Judge, Output, Reporter } from './reporter.ts';

/** `--format json`: one document when all is over. */
export function jsonReporter({ out }: Output, judge: Judge): Reporter {
  let job: Job | undefined;
  let startedAt = 0;
  return {
    on(event) {
      if (event.type === 'job-started') {
        job = event.job;
        startedAt = event.at;
      }
      if (event.type !== 'job-done' || job === undefined) return;
      const { at: endedAt, results, stopped } = event;
      const { exit } = judge(results, stopped);
      const document = jobDocument({ job, startedAt, endedAt, results, stopped, exit });
      out(`${safeJson(document, 2)}\n`);
    },
    async close() {},
  };
}

export interface JobDocument {
  job: Job;
  /** Milliseconds since 1970. */
  startedAt: number;
  endedAt?: number | undefined;
  stopped?: StopReason | undefined;
  results: readonly HostResult[];
  exit: number;
}

/** A job as `--format json` prints it. */
export function jobDocument({ job, startedAt, endedAt, stopped, results, exit }: JobDocument): object {
  const { id, controller, by, action, concurrency, name, rollout, maintenance, discovery } = job;
  return {
    job: id,
    ...(name !== undefined && { name }),
    ...{ controller, by, action, concurrency },
    ...(rollout !== undefined && { rollout }),
    ...(maintenance !== undefined && { maintenance }),
    ...(discovery !== undefined && { discovery }),
    startedAt: isoTime(startedAt),
    ...(endedAt !== undefined && { endedAt: isoTime(endedAt) }),
    ...(stopped !== undefined && { stopped }),
    exit,
    hosts: results.map(asJson),
  };
}

/** `--format jsonl`: everything that happens, as it happens. */
export function jsonlReporter({ out }: Output, judge: Judge): Reporter {
  return {
    on(event) {
      // What was signed is kept with the job, for audits.
      if (event.type !== 'request-signed') out(`${safeJson(lineOf(event, judge))}\n`);
    },
    async close() {},
  };
}

function lineOf(event: Exclude<JobEvent, { type: 'request-signed' }>, judge: Judge): object {
  const at = isoTime(event.at);
  switch (event.type) {
    case 'job-started': {
      const { id, targets, ...rest } = event.job;
      return { ...event, at, job: { ...rest, job: id, hosts: targets.map(({ certname }) => certname) } };
    }
    case 'host-done':
      return { type: event.type, at, ...asJson(event.result) };
    case 'job-done':
      return {
        type: event.type,
        at,
        ...(event.stopped !== undefined && { stopped: event.stopped }),
        exit: judge(event.results, event.stopped).exit,
      };
    default:
      return { ...event, at };
  }
}

function asJson({ startedAt, endedAt, finished, ...rest }: HostResult): object {
  const { type: _type, outcome: _outcome, message: _message, ...reported } = finished ?? {};
  return {
    ...rest,
    ...(startedAt !== undefined && { startedAt: isoTime(startedAt) }),
    endedAt: isoTime(endedAt),
    ...(finished !== undefined && { run: runOf(reported) }),
  };
}

/** What the agent reported about the run, with times in our format. */
function runOf(reported: Record<string, unknown>): object {
  const { seq: _seq, at: _at, run, startedAt, endedAt, ...rest } = reported;
  return {
    ...(run !== undefined && { id: run }),
    ...(typeof startedAt === 'number' && { startedAt: isoTime(startedAt) }),
    ...(typeof endedAt === 'number' && { endedAt: isoTime(endedAt) }),
    ...rest,
  };
}
