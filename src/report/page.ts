/** Where a job's lines go: one after another into a pipe, or above the live area of a terminal (live-page.ts). */
import type { JobEvent } from '../controller/jobs/job.ts';
import { type Line, plainLines } from './job-lines.ts';
import { type Paint, painter } from './paint.ts';
import type { Output } from './reporter.ts';

export interface Page {
  put(line: Line): void;
  /** Shows what an event means for hosts, behind the lines that were put for it. */
  on(event: JobEvent): void;
  /** Others have written to the terminal. */
  redraw(): void;
  /** Writes what waits; rows are erased, and nothing is drawn again. */
  end(): void;
}

export interface PageOptions extends Output {
  /** Writes to stderr as it is. */
  draw(text: string): void;
  color: boolean;
  /** Of the window, as they are now. */
  columns(): number;
  rows(): number;
  /** Of stdout; undefined where it is no terminal. */
  outColumns(): number | undefined;
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `work` again and again; returns what stops it. Defaults to `unheld`. */
  every?(ms: number, work: () => void): () => void;
}

export type OpenPage = (options: PageOptions) => Page;

export const plainPage: OpenPage = ({ out, err, color }) => {
  const paint: Paint = painter(color);
  const put = ({ to, text }: Line) => (to === 'out' ? out : err)(`${text}\n`);
  return {
    put,
    on: (event) => plainLines(event, { paint }).forEach(put),
    redraw() {},
    end() {},
  };
};
