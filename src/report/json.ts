/** For scripts: one document at the end, or one event a line. */
import type { HostResult, Job, JobEvent, StopReason } from '../controller/jobs/job.ts';
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
    close() {},
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

/** A job as `--format json` tells it. */
export function jobDocument({ job, startedAt, endedAt, stopped, results, exit }: JobDocument): object {
  const { id, controller, by, action, concurrency, name, rollout, maintenance } = job;
  return {
    job: id,
    ...(name !== undefined && { name }),
    ...{ controller, by, action, concurrency },
    ...(rollout !== undefined && { rollout }),
    ...(maintenance !== undefined && { maintenance }),
    startedAt: iso(startedAt),
    ...(endedAt !== undefined && { endedAt: iso(endedAt) }),
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
    close() {},
  };
}

/** JSON leaves C1 controls and bidi marks as they are; a terminal would obey them. */
export function safeJson(value: object, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (char) =>
    [...Array(char.length).keys()]
      .map((index) => `\\u${char.charCodeAt(index).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

function lineOf(event: Exclude<JobEvent, { type: 'request-signed' }>, judge: Judge): object {
  const at = iso(event.at);
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
  const { type: _type, outcome: _outcome, message: _message, ...told } = finished ?? {};
  return {
    ...rest,
    ...(startedAt !== undefined && { startedAt: iso(startedAt) }),
    endedAt: iso(endedAt),
    ...(finished !== undefined && { run: runOf(told) }),
  };
}

/** What the agent told of the run, its times as ours. */
function runOf(told: Record<string, unknown>): object {
  const { seq: _seq, at: _at, run, startedAt, endedAt, ...rest } = told;
  return {
    ...(run !== undefined && { id: run }),
    ...(typeof startedAt === 'number' && { startedAt: iso(startedAt) }),
    ...(typeof endedAt === 'number' && { endedAt: iso(endedAt) }),
    ...rest,
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
