/**
 * JSON that kick keeps in files of its own, read as if somebody else had written it: size, decode, version,
 * schema. A file without a version is as 0.1 wrote it, which is version 1.
 */
import { rename } from 'node:fs/promises';
import * as v from 'valibot';
import { messageOf, systemCode } from '../errors.ts';
import { parseJson } from './json.ts';
import type { Log } from './log.ts';
import { openRegularFile } from './regular-file.ts';
import { formatProblems, problemsOf } from './schema.ts';

export interface StoredFormat<S extends v.GenericSchema> {
  schema: S;
  /** The newest version that we can read; the one that we write. */
  version: number;
  /** Bytes; defaults to 256 KiB. */
  maxBytes?: number;
}

/** A stored file that we cannot use. The message says why, and names the file. */
export class StoredProblem extends Error {
  readonly path: string;
  /** A later version of kick wrote it. */
  readonly isNewer: boolean;

  constructor(path: string, why: string, { isNewer = false, cause }: { isNewer?: boolean; cause?: unknown }) {
    super(`read "${path}": ${why}`, cause === undefined ? undefined : { cause });
    this.name = 'StoredProblem';
    this.path = path;
    this.isNewer = isNewer;
  }
}

const MAX_BYTES = 256 << 10;

/** Nothing is wrong with the file. */
const PASSING: readonly string[] = ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR', 'EIO'];

/** What a file of ours says; undefined when there is no such file. Throws `StoredProblem`, and the system's error for a trouble that passes. */
export async function readStored<S extends v.GenericSchema>(
  path: string,
  { schema, version, maxBytes = MAX_BYTES }: StoredFormat<S>,
): Promise<v.InferOutput<S> | undefined> {
  const value = await jsonIn(path, maxBytes);
  if (value === undefined) return undefined;
  const found = versionOf(value);
  if (found === undefined) throw new StoredProblem(path, 'its version is not a number', {});
  if (found > version) {
    const why = `a newer version of kick wrote it (v ${found}; this one reads up to v ${version})`;
    throw new StoredProblem(path, why, { isNewer: true });
  }
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  throw new StoredProblem(path, formatProblems(problemsOf(parsed.issues)).replaceAll('\n', '; '), {});
}

/** The text of a file of ours; `version` as in its format. */
export function storedText(value: object, { version }: { version: number }): string {
  return JSON.stringify({ v: version, ...value });
}

async function jsonIn(path: string, maxBytes: number): Promise<unknown> {
  try {
    const handle = await openRegularFile(path);
    try {
      const { size } = await handle.stat();
      if (size > maxBytes) throw new Error(`it is longer than ${maxBytes} bytes`);
      return parseJson(await handle.readFile(), { maxBytes });
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = systemCode(error) ?? '';
    if (code === 'ENOENT') return undefined;
    if (PASSING.includes(code)) throw error;
    throw new StoredProblem(path, messageOf(error), { cause: error });
  }
}

/** Undefined for what is no version. */
function versionOf(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null || !('v' in value)) return 1;
  return typeof value.v === 'number' && Number.isInteger(value.v) && value.v >= 1 ? value.v : undefined;
}

/**
 * Reads files that stand in a folder of their own, a request's or a run's. Those that cannot be used stay where they
 * are, for the version that wrote them, and are logged once.
 */
export interface StoredReader {
  read<S extends v.GenericSchema>(
    path: string,
    format: StoredFormat<S>,
  ): Promise<v.InferOutput<S> | 'unusable' | undefined>;
  /** Logs a problem once. */
  complain(problem: StoredProblem): void;
}

export function createStoredReader(log: Log): StoredReader {
  const logged = new Set<string>();

  function complain({ path, message, isNewer }: StoredProblem): void {
    if (logged.has(path)) return;
    logged.add(path);
    log.error(
      { path, reason: message },
      isNewer ? 'a file of a newer version is left alone' : 'a stored file is broken',
    );
  }

  return {
    complain,
    async read(path, format) {
      try {
        return await readStored(path, format);
      } catch (error) {
        if (!(error instanceof StoredProblem)) throw error;
        complain(error);
        return 'unusable';
      }
    },
  };
}

/**
 * The same for a file that stands alone, and that we write again: one that cannot be used is moved to `PATH.set-aside`
 * and counts as absent; `means` says what that means. Never rejects.
 */
export async function readOrSetAside<S extends v.GenericSchema>(
  path: string,
  format: StoredFormat<S>,
  { log, means }: { log: Log; means: string },
): Promise<v.InferOutput<S> | undefined> {
  try {
    return await readStored(path, format);
  } catch (error) {
    const aside = error instanceof StoredProblem ? await setAside(path) : undefined;
    log.warn({ path, aside, reason: messageOf(error) }, `a stored file cannot be used: ${means}`);
    return undefined;
  }
}

/** Returns the new path; undefined where it cannot be moved. */
async function setAside(path: string): Promise<string | undefined> {
  const aside = `${path}.set-aside`;
  try {
    await rename(path, aside);
    return aside;
  } catch {
    return undefined;
  }
}
