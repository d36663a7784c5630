/** Runs one input in this process, which takes a twentieth of the time of a process of its own. */
import { runCommandLine } from '../../src/cli/program.ts';
import { MAX_LINE, type Terminal } from '../../src/cli/terminal.ts';
import { sleep } from '../../src/util/clock.ts';
import { clipLines, safeColoured, safeLines } from '../../src/util/text.ts';
import type { Input } from './input.ts';
import { type Ending, judge } from './judge.ts';
import { makePlace, type Shared } from './place.ts';

export interface Tried extends Ending {
  /** Empty: all is well. */
  problems: string[];
}

/** Milliseconds after which an input is told to end as by Ctrl-C, and after which it hangs. */
const PATIENT_MS = 400;
const HANGS_MS = 60_000;

/** Milliseconds in which threads that end by themselves give their listeners back. */
const GIVES_BACK_MS = 10_000;

/** Seconds of CPU that no input takes. */
const MAX_CPU_S = 20;

/** Megabytes by which no input makes the process larger. */
const MAX_GROWTH_MB = 600;

const SIGNALS = ['SIGINT', 'SIGCONT', 'SIGTERM', 'SIGHUP', 'exit'] as const;

export async function tryInProcess(input: Input, shared: Shared): Promise<Tried> {
  const place = makePlace(shared, input);
  const words = input.words.map(place.resolve);
  const screen = openScreen(input.columns);
  const watch = watchProcess();
  let code = 0;
  const exit = (given: number) => {
    code = given;
  };
  const work = runCommandLine(words, { terminal: screen.terminal, env: place.env, exit });
  const hasEnded = await within(work, watch.pressCtrlC);
  if (hasEnded) await watch.givenBack();
  const { cpuS, grownMb, wild, left } = watch.end();
  const ending = { code, out: screen.out(), err: screen.err() };
  const given = JSON.stringify(input);
  const problems = [
    ...(hasEnded ? [] : ['it hangs']),
    ...wild.map((error) => `nobody catches: ${error instanceof Error ? error.stack : String(error)}`),
    ...(left.length > 0 ? [`it leaves listeners behind: ${left.join(', ')}`] : []),
    ...(cpuS > MAX_CPU_S ? [`it takes ${cpuS} s of CPU`] : []),
    ...(grownMb > MAX_GROWTH_MB ? [`it takes ${grownMb} MB`] : []),
    ...judge(ending, { words, given, color: input.columns > 0, valueFlags: shared.valueFlags }),
  ];
  place.remove();
  return { ...ending, problems };
}

/** What an input does to the process; `end` removes what it has left, which would end the process at another input's Ctrl-C. */
function watchProcess() {
  const wild: unknown[] = [];
  const onWild = (error: unknown) => void wild.push(error);
  const before = new Map(SIGNALS.map((name) => [name, process.listeners(name as 'SIGINT')]));
  process.on('uncaughtException', onWild);
  process.on('unhandledRejection', onWild);
  const ownOf = (name: (typeof SIGNALS)[number]) =>
    process.listeners(name as 'SIGINT').filter((one) => !before.get(name)?.includes(one));
  const leftNow = () => SIGNALS.flatMap((name) => ownOf(name).map((one) => ({ name, one })));
  let isPressed = false;
  const [cpu, size] = [process.cpuUsage(), process.memoryUsage.rss()];
  return {
    /** Once, as soon as the input handles it: the loader that runs this may end the process. */
    pressCtrlC() {
      const own = isPressed ? [] : ownOf('SIGINT');
      isPressed ||= own.length > 0;
      for (const one of own) one('SIGINT');
    },
    /** The thread of the system's log (pino) has one until it is ready. */
    async givenBack() {
      const end = performance.now() + GIVES_BACK_MS;
      while (leftNow().length > 0 && performance.now() < end) await sleep(10);
    },
    end() {
      process.off('uncaughtException', onWild);
      process.off('unhandledRejection', onWild);
      const { user, system } = process.cpuUsage(cpu);
      const left = leftNow().map(({ name, one }) => {
        process.off(name, one);
        return name;
      });
      const grownMb = Math.round((process.memoryUsage.rss() - size) / (1 << 20));
      return { cpuS: (user + system) / 1e6, grownMb, wild, left };
    },
  };
}

/** Resolves to whether it has ended. */
async function within(work: Promise<void>, pressCtrlC: () => void): Promise<boolean> {
  const timers: NodeJS.Timeout[] = [];
  const late = new Promise<boolean>((resolve) => {
    timers.push(setInterval(pressCtrlC, PATIENT_MS));
    timers.push(setTimeout(() => resolve(false), HANGS_MS));
  });
  const hasEnded = await Promise.race([work.then(() => true), late]);
  for (const timer of timers) clearTimeout(timer);
  return hasEnded;
}

/** A window of this many columns with colours, or none; what comes out of it is what cli/terminal.ts lets out. */
function openScreen(columns: number) {
  let [out, err] = ['', ''];
  const isTty = columns > 0;
  const harmless = isTty ? safeColoured : safeLines;
  const terminal: Terminal = {
    isTty,
    color: isTty,
    columns: () => columns || 80,
    rows: () => 24,
    outColumns: () => (isTty ? columns : undefined),
    out: (text) => {
      out += harmless(text);
    },
    err: (text) => {
      err += harmless(clipLines(text, MAX_LINE));
    },
    draw: () => {},
  };
  return { terminal, out: () => out, err: () => err };
}
