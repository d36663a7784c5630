/** A job in a terminal: its lines stay above an area that is drawn again and again. */
import type { HostResult, JobEvent } from '../controller/jobs/job.ts';
import { isSuccess } from '../protocol/outcome.ts';
import type { Line } from './job-lines.ts';
import { createLiveArea } from './live-area.ts';
import { liveRows } from './live-rows.ts';
import type { OpenPage } from './page.ts';
import { type Paint, painter } from './paint.ts';
import { followProgress, type Progress } from './progress.ts';
import { headColumns, headOf } from './row.ts';
import { detailOf, took } from './words.ts';

/** At most ten times a second. */
const REDRAW_MS = 100;

export const livePage: OpenPage = (options) => {
  const { color, every = unheld } = options;
  const paint = painter(color);
  const progress = followProgress();
  const area = createLiveArea({ ...options, isOutElsewhere: options.outColumns() === undefined });
  /** A question is asked below the rows, or all is over. */
  let isSuspended = false;
  const draw = () => {
    if (isSuspended) return;
    const look = { columns: options.columns(), rows: options.rows(), color, now: options.now() };
    area.draw(liveRows(progress.now(), look));
  };
  const stop = every(REDRAW_MS, draw);

  function put({ text, ...rest }: Line): void {
    area.above(text, rest);
    if (isSuspended) area.draw([]);
  }

  function suspend(): void {
    isSuspended = true;
    area.draw([]);
  }

  return {
    put,
    on(event) {
      progress.on(event);
      for (const line of liveLines(event, progress.now(), { paint, columns: options.columns() - 1 }))
        put(line);
      if (event.type === 'pause' && event.until === undefined) suspend();
      else if (event.type === 'batch' || event.type === 'stopping') isSuspended = false;
    },
    redraw: area.forget,
    end() {
      stop();
      suspend();
    },
  };
};

/** An interval that keeps no process alive. */
export function unheld(ms: number, work: () => void): () => void {
  const timer = setInterval(work, ms);
  timer.unref();
  return () => clearInterval(timer);
}

function liveLines(
  event: JobEvent,
  { nameColumns, startedAt }: Progress,
  look: { paint: Paint; columns: number },
): Line[] {
  if (event.type !== 'host-done' || !isFailure(event.result)) return [];
  // An earlier controller of the job has shown it.
  if (event.result.endedAt < startedAt) return [];
  return [failureLine(event.result, { ...look, nameColumns })];
}

/** Columns beside a host's name and outcome in which more is worth reading. */
const LEAST_DETAIL = 36;

interface FailureOptions {
  paint: Paint;
  /** Of a row. */
  columns: number;
  nameColumns: number;
}

/** In a terminal: a host that did not do as asked, shaped like the rows of hosts below it. */
function failureLine(result: HostResult, { paint, ...widths }: FailureOptions): Line {
  const { certname, outcome } = result;
  const head = headOf(certname, outcome, {
    ...widths,
    time: took(result),
    paint: (text) => paint(outcome, text),
  });
  const text = `${head}  ${detailOf(result)}`.trimEnd();
  const begin = headColumns(widths);
  const indent = widths.columns - begin < LEAST_DETAIL ? 6 : begin;
  return { to: 'err', text, indent, maxLines: 2 };
}

/** Those that were left alone when the job stopped may be thousands; the summary counts them. */
function isFailure({ outcome }: HostResult): boolean {
  return !isSuccess(outcome) && outcome !== 'not-started' && outcome !== 'unfinished';
}
