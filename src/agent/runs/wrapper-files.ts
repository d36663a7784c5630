/** The files that the wrapper writes into a run's folder: see wrapper.ts. */
import { join } from 'node:path';
import { systemCode } from '../../errors.ts';
import { lstatIfAny } from '../../util/files.ts';
import type { ProcessId } from '../../util/proc.ts';
import { isUnusable, readRegularFile } from '../../util/regular-file.ts';
import { RUN_FILES } from './run-files.ts';

export interface WrapperFiles {
  /** Puppet itself and when it started, milliseconds since 1970. */
  started?: { process: ProcessId; at: number };
  /** Its exit status, 128 + n for a signal. */
  exit?: number;
  /** What the wrapper saw at that moment. */
  notes?: EndNotes;
  /** Names of files that cannot be read, or are missing although there must have been one. */
  damaged: string[];
}

/** The state of things when a run ended, which may have changed by the time it is judged. */
export interface EndNotes {
  /** Milliseconds since 1970. */
  at: number;
  /** Signals that the wrapper got as well, like the whole session at a shutdown: `SIGTERM`. */
  caught: string[];
  /** Puppet's run lock names a live process. */
  isLocked: boolean;
  /** agent_disabled.lock existed; a copy is among the run's files. */
  isDisabled: boolean;
}

/** Bytes of a file; the wrapper writes fewer. */
const MAX_BYTES = 4096;

/** Exit statuses above this may come from a wrapper whose run was killed before it began. */
const LAST_PLAIN_EXIT = 128;

/**
 * Reads the files. `inner` is the process that becomes Puppet, as the run's record names it: that Puppet has started is also
 * known without a readable file `started`.
 */
export async function readWrapperFiles(dir: string, inner?: ProcessId): Promise<WrapperFiles> {
  const [started, exit] = await Promise.all(['started', 'exit'].map((name) => read(join(dir, name))));
  const ended = exit?.text === undefined ? undefined : endIn(exit.text, exit.at);
  const damaged = [
    ...(started !== undefined && processIn(started.text) === undefined ? ['started'] : []),
    ...(exit !== undefined && ended === undefined ? ['exit'] : []),
  ];
  const found = { ...ended, damaged };
  if (started !== undefined) {
    const process = processIn(started.text) ?? inner;
    return process === undefined ? found : { ...found, started: { process, at: started.at } };
  }
  const hasBegun = (ended?.exit ?? LAST_PLAIN_EXIT + 1) <= LAST_PLAIN_EXIT;
  const log = hasBegun ? exit : await read(join(dir, RUN_FILES.log));
  if (log === undefined || inner === undefined) return found;
  return { ...found, damaged: ['started', ...damaged], started: { process: inner, at: log.at } };
}

/** What is there, whatever it is; without a text if it cannot be read. */
async function read(path: string): Promise<{ text?: string; at: number } | undefined> {
  try {
    const { bytes, mtimeMs } = await readRegularFile(path, MAX_BYTES, { follow: false });
    return { text: bytes.toString('latin1'), at: Math.round(mtimeMs) };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    if (!isUnusable(error)) throw error;
    const found = await lstatIfAny(path);
    return found && { at: Math.round(found.mtimeMs) };
  }
}

function processIn(text = ''): ProcessId | undefined {
  const [, pid, start] = /^(\d{1,10}) (\d{1,20})\n?$/.exec(text) ?? [];
  return pid === undefined || start === undefined ? undefined : { pid: Number(pid), start };
}

/** The exit status, then one note per line: see wrapper.ts. Undefined if it is anything else. */
function endIn(text: string, at: number): Pick<WrapperFiles, 'exit' | 'notes'> | undefined {
  // The space that the wrapper has reserved is part of the file.
  const [status = '', ...lines] = text.trim().split('\n');
  if (!text.endsWith('\n') || !/^\d{1,3}$/.test(status) || !lines.every((line) => NOTE.test(line)))
    return undefined;
  const exit = Number(status);
  // From a wrapper of an older version, which wrote no notes.
  return lines.length === 0 ? { exit } : { exit, notes: notesOf(lines, at) };
}

const NOTE = /^(caught( [A-Z0-9]+)*|disabled|locked)$/;

function notesOf(lines: readonly string[], at: number): EndNotes {
  const [, ...caught] = lines.find((line) => line.startsWith('caught'))?.split(' ') ?? [];
  return {
    at,
    caught: caught.map((name) => `SIG${name}`),
    isLocked: lines.includes('locked'),
    isDisabled: lines.includes('disabled'),
  };
}
