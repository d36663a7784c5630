/** Runs one input as the built program, in a process of its own. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { text } from 'node:stream/consumers';
import { PROGRAM } from '../program.ts';
import type { Tried } from './in-process.ts';
import type { Input } from './input.ts';
import { judge } from './judge.ts';
import { makePlace, type Shared } from './place.ts';

/** Milliseconds after which Ctrl-C is pressed, and after which it hangs. */
const PATIENT_MS = 4000;
const HANGS_MS = 60_000;

/** Milliseconds after its end in which what it has started closes its output. */
const CLOSES_MS = 10_000;

/** Megabytes of heap with which every input is content; V8 ends the process by a signal when it is full. */
const HEAP_MB = 768;

export async function tryOwnProcess(input: Input, shared: Shared): Promise<Tried> {
  const place = makePlace(shared, input);
  const words = input.words.map(place.resolve).map(withoutNul);
  const env = Object.fromEntries(Object.entries(place.env).map(([name, value]) => [name, withoutNul(value)]));
  const child = spawn(process.execPath, [`--max-old-space-size=${HEAP_MB}`, PROGRAM, ...words], {
    cwd: place.folder,
    env,
  });
  let sent: NodeJS.Signals | undefined;
  const send = (signal: NodeJS.Signals) => {
    sent = signal;
    child.kill(signal);
  };
  const timers = [setTimeout(send, PATIENT_MS, 'SIGINT'), setTimeout(send, HANGS_MS, 'SIGKILL')];
  let isHeld = false;
  const letGo = () => {
    isHeld = true;
    child.stdout.destroy();
    child.stderr.destroy();
  };
  child.once('exit', () => timers.push(setTimeout(letGo, CLOSES_MS)));
  // It may end without having read it.
  child.stdin.on('error', () => {});
  child.stdin.end(input.stdin);
  const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve([code, signal]));
  });
  const [out, err, [status, signal]] = await Promise.all([
    text(child.stdout).catch(String),
    text(child.stderr).catch(String),
    ended,
  ]);
  for (const timer of timers) clearTimeout(timer);
  // Those that do not handle Ctrl-C end by it.
  const code = status ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  const ending = { code, out, err };
  const problems = [
    ...(sent === 'SIGKILL' ? ['it hangs'] : []),
    ...(isHeld ? ['what it has started holds its output'] : []),
    ...(signal !== null && signal !== sent ? [`it ends by ${signal}`] : []),
    ...judge(ending, { words, given: JSON.stringify(input), color: false, valueFlags: shared.valueFlags }),
  ];
  place.remove();
  return { ...ending, problems };
}

/** No word and no variable of a process can have one. */
const withoutNul = (word: string) => word.replaceAll('\0', '');
