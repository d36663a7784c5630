/** A terminal that a job is shown in: a window that can be resized, a clock that stands still, and ticks by hand. */
import { createScreen, type Screen } from '../../scripts/picture/screen.ts';
import type { HostResult, Job, JobEvent } from '../../src/controller/jobs/job.ts';
import { type HumanOptions, humanReporter } from '../../src/report/human.ts';
import { livePage } from '../../src/report/live-page.ts';
import type { Reporter } from '../../src/report/reporter.ts';

export const AT = Date.UTC(2026, 10, 23, 7, 31, 5);

export interface LiveTerminal {
  readonly reporter: Reporter;
  /** Everything that was written, and in how many pieces. */
  readonly written: string[];
  on(...events: JobEvent[]): void;
  /** Lets the time pass, and draws. */
  tick(ms?: number): void;
  resize(columns: number, rows: number): void;
  now(): number;
  /** The window as it is seen. */
  screen(): string[];
  /** What has left the window at its top. */
  gone(): string[];
}

type Options = Partial<Pick<HumanOptions, 'color' | 'verbose'>> & { columns?: number; rows?: number };

export function liveTerminal({ columns = 80, rows = 24, color = false, verbose = false }: Options = {}) {
  const size = { columns, rows };
  const screen = createScreen(size);
  const written: string[] = [];
  let now = AT;
  let draw = () => {};
  const write = (text: string) => {
    written.push(text);
    // The kernel's line discipline makes CR LF of it.
    screen.write(text.replaceAll('\n', '\r\n'));
  };
  const reporter = humanReporter({
    ...{ openPage: livePage, color, verbose, out: write, err: write, draw: write },
    ...{ columns: () => size.columns, rows: () => size.rows, outColumns: () => size.columns },
    now: () => now,
    every(_ms, work) {
      draw = work;
      return () => {
        draw = () => {};
      };
    },
  });
  const terminal: LiveTerminal = {
    reporter,
    written,
    on(...events) {
      for (const event of events) reporter.on(event);
    },
    tick(ms = 100) {
      now += ms;
      draw();
    },
    resize(newColumns, newRows) {
      Object.assign(size, { columns: newColumns, rows: newRows });
      screen.resize(size);
    },
    now: () => now,
    screen: () => texts(screen.rows()),
    gone: () => texts(screen.gone()),
  };
  return terminal;
}

const texts = (rows: ReturnType<Screen['rows']>) => rows.map((row) => row.map(({ char }) => char).join(''));

export function jobOf(names: readonly string[], rest: Partial<Job> = {}): Job {
  return {
    id: '01900000-0000-7000-8000-0000e41c07aa',
    controller: 'deploy1.example.com',
    by: { user: 'deploy', uid: 0, host: 'puppet' },
    action: { op: 'run' },
    targets: names.map((certname) => ({ certname, host: certname, port: 8139 })),
    concurrency: 25,
    ...rest,
  };
}

/** `web01`, `web02`, … */
export function names(count: number, base = 'web'): string[] {
  return Array.from({ length: count }, (_, index) => `${base}${String(index + 1).padStart(2, '0')}`);
}

export const started = (targets: readonly string[], rest: Partial<Job> = {}): JobEvent => ({
  ...{ type: 'job-started', at: AT },
  job: jobOf(targets, rest),
});

export const dispatched = (certname: string, at = AT): JobEvent => ({
  type: 'host-dispatched',
  at,
  certname,
});

export const running = (certname: string, at = AT): JobEvent => ({
  ...{ type: 'host-event', at, certname },
  event: { type: 'started', seq: 2, at, run: '01900000-0000-7000-8000-000000000001' },
});

export const waiting = (certname: string, at = AT): JobEvent => ({
  ...{ type: 'host-event', at, certname },
  event: { type: 'waiting', seq: 2, at, until: at, holder: { pid: 42, what: 'puppet agent, not by kick' } },
});

export const logged = (certname: string, message: string, at = AT): JobEvent => ({
  ...{ type: 'host-event', at, certname },
  event: { type: 'log', seq: 3, at, lines: [{ level: 'notice', message }] },
});

export const done = (certname: string, rest: Partial<HostResult> = {}): JobEvent => {
  const result: HostResult = {
    ...{ certname, outcome: 'unchanged', startedAt: AT, endedAt: AT + 1000 },
    ...rest,
  };
  return { type: 'host-done', at: result.endedAt, result };
};

/** All of them under way, each begun a second after the one before. */
export const allRunning = (targets: readonly string[]): JobEvent[] =>
  targets.flatMap((name, index) => [dispatched(name, AT), running(name, AT + index * 1000)]);
