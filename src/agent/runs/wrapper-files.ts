/** What the wrapper leaves in the folder of a run, see wrapper.ts. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../errors.ts';
import type { ProcessId } from '../../util/proc.ts';

/** What the wrapper tells, see wrapper.ts. */
export interface WrapperFiles {
  /** Puppet itself and when it began, milliseconds since 1970. */
  started?: { process: ProcessId; at: number };
  /** Its exit status, 128 + n for a signal. */
  exit?: number;
  /** What it saw at that moment. */
  notes?: EndNotes;
}

/** How things were when a run ended: by the time that it is judged they may have changed. */
export interface EndNotes {
  /** Milliseconds since 1970. */
  at: number;
  /** The signals that the wrapper got, too, as the whole session does at a shutdown: `SIGTERM`. */
  caught: string[];
  /** Puppet's run lock names a process that lives. */
  isLocked: boolean;
  /** agent_disabled.lock was there: a copy of it is among the run's files. */
  isDisabled: boolean;
}

export async function readWrapperFiles(dir: string): Promise<WrapperFiles> {
  return { ...(await readStarted(join(dir, 'started'))), ...(await readExit(join(dir, 'exit'))) };
}

async function readStarted(path: string): Promise<Pick<WrapperFiles, 'started'>> {
  try {
    const [pid = '', start = ''] = (await readFile(path, 'utf8')).trim().split(' ');
    const { mtimeMs } = await stat(path);
    return { started: { process: { pid: Number(pid), start }, at: Math.round(mtimeMs) } };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return {};
    throw error;
  }
}

/** The exit status, then a note a line; see wrapper.ts. */
async function readExit(path: string): Promise<Pick<WrapperFiles, 'exit' | 'notes'>> {
  try {
    const [status = '', ...lines] = (await readFile(path, 'utf8')).trim().split('\n');
    const exit = Number(status);
    if (status === '' || !Number.isInteger(exit)) return {};
    // Left by the wrapper of an older version, which noted nothing.
    if (lines.length === 0) return { exit };
    const { mtimeMs } = await stat(path);
    return { exit, notes: notesOf(lines, Math.round(mtimeMs)) };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return {};
    throw error;
  }
}

function notesOf(lines: readonly string[], at: number): EndNotes {
  const [, ...caught] = lines.find((line) => line.startsWith('caught'))?.split(' ') ?? [];
  return {
    at,
    caught: caught.map((name) => `SIG${name}`),
    isLocked: lines.includes('locked'),
    isDisabled: lines.includes('disabled'),
  };
}
