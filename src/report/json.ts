/** For scripts: one document at the end, or one event a line. */
import type { HostResult, Job, JobEvent } from '../controller/job.ts';
import { exitCodeOf } from '../protocol/outcome.ts';
import type { Output, Reporter } from './reporter.ts';

/** `--format json`: one document when all is over. */
export function jsonReporter({ out }: Output): Reporter {
  let job: Job | undefined;
  let startedAt = 0;
  return {
    on(event) {
      if (event.type === 'job-started') {
        job = event.job;
        startedAt = event.at;
      }
      if (event.type !== 'job-done' || job === undefined) return;
      const { id, controller, by, action, concurrency } = job;
      const document = {
        job: id,
        controller,
        by,
        action,
        concurrency,
        startedAt: iso(startedAt),
        endedAt: iso(event.at),
        ...(event.stopped !== undefined && { stopped: event.stopped }),
        exit: exitCodeOf(event.results.map(({ outcome }) => outcome)),
        hosts: event.results.map(asJson),
      };
      out(`${safeJson(document, 2)}\n`);
    },
    close() {},
  };
}

/** `--format jsonl`: everything that happens, as it happens. */
export function jsonlReporter({ out }: Output): Reporter {
  return {
    on: (event) => out(`${safeJson(lineOf(event))}\n`),
    close() {},
  };
}

/** JSON leaves C1 controls and bidi marks as they are; a terminal would obey them. */
function safeJson(value: object, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (char) =>
    [...Array(char.length).keys()]
      .map((index) => `\\u${char.charCodeAt(index).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

function lineOf(event: JobEvent): object {
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
        exit: exitCodeOf(event.results.map(({ outcome }) => outcome)),
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
