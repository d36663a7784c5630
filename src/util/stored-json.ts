/**
 * JSON in kick's own files, read as if somebody else had written it: size, decoding, version, checksum, schema. A file
 * without a version is one of 0.1, which is version 1.
 */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { messageOf, systemCode } from '../errors.ts';
import { parseJson } from './json.ts';
import type { Log } from './log.ts';
import type { Quarantine } from './quarantine.ts';
import { openOwnFile, readFrom } from './regular-file.ts';
import { formatProblems, problemsOf } from './schema.ts';

export interface StoredFormat<S extends v.GenericSchema> {
  schema: S;
  /** The version that we write, and the newest that we can read. */
  version: number;
  /** Bytes; defaults to 256 KiB. */
  maxBytes?: number;
}

/** A stored file that cannot be used. The message names the file and says why. */
export class StoredProblem extends Error {
  readonly path: string;
  readonly why: string;
  /** A newer version of kick wrote it. */
  readonly isNewer: boolean;

  constructor(path: string, why: string, { isNewer = false, cause }: { isNewer?: boolean; cause?: unknown }) {
    super(`read "${path}": ${why}`, cause === undefined ? undefined : { cause });
    this.name = 'StoredProblem';
    this.path = path;
    this.why = why;
    this.isNewer = isNewer;
  }
}

/** What to do about what a newer version wrote. */
export const NEWER_HINT = 'use that version of kick; the file is left alone';

const MAX_BYTES = 256 << 10;

/** Errors that pass and say nothing about the file. */
const PASSING: readonly string[] = ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR', 'EIO'];

/** Reads a file; undefined if there is none. Throws `StoredProblem`, or the system's error if that may pass. */
export async function readStored<S extends v.GenericSchema>(
  path: string,
  format: StoredFormat<S>,
): Promise<v.InferOutput<S> | undefined> {
  const bytes = await bytesIn(path, format.maxBytes ?? MAX_BYTES);
  return bytes && parseStored(path, bytes, format);
}

/** The same for what was read from a file. Throws `StoredProblem`. */
export function parseStored<S extends v.GenericSchema>(
  path: string,
  bytes: Buffer,
  { schema, version, maxBytes = MAX_BYTES }: StoredFormat<S>,
): v.InferOutput<S> {
  const value = jsonIn(path, bytes, maxBytes);
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

/** The text to store, with the version of its format and a checksum. */
export function storedText(value: object, { version }: { version: number }): string {
  const text = JSON.stringify({ v: version, ...value });
  return `${text.slice(0, -1)},"sum":"${sumOf(text)}"}`;
}

/** The checksum at the end of a text; files of 0.1 have none. */
const SUM = /,"sum":"([0-9a-f]{16})"\}$/;

function sumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Detects what is damaged and still JSON: another digit, another letter. */
function checkSum(text: string): void {
  const [end = '', sum] = SUM.exec(text.slice(-40)) ?? [];
  if (sum === undefined) return;
  if (sumOf(`${text.slice(0, text.length - end.length)}}`) !== sum) throw new Error('its checksum is wrong');
}

async function bytesIn(path: string, maxBytes: number): Promise<Buffer | undefined> {
  try {
    const handle = await openOwnFile(path);
    try {
      const { size } = await handle.stat();
      if (size > maxBytes) throw new Error(`it is longer than ${maxBytes} bytes`);
      return await readFrom(handle, 0, size);
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

function jsonIn(path: string, bytes: Buffer, maxBytes: number): unknown {
  try {
    const value = parseJson(bytes, { maxBytes });
    checkSum(bytes.toString('utf8'));
    return value;
  } catch (error) {
    throw new StoredProblem(path, messageOf(error), { cause: error });
  }
}

/** Undefined if it is not a version. */
function versionOf(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null || !('v' in value)) return 1;
  return typeof value.v === 'number' && Number.isInteger(value.v) && value.v >= 1 ? value.v : undefined;
}

/**
 * The same for a single file that is rewritten: if it cannot be used, it is set aside and counts as absent; `means`
 * describes the consequence. Never rejects.
 */
export async function readOrSetAside<S extends v.GenericSchema>(
  path: string,
  format: StoredFormat<S>,
  { quarantine, log, means }: { quarantine: Quarantine; log: Log; means: string },
): Promise<v.InferOutput<S> | undefined> {
  try {
    return await readStored(path, format);
  } catch (error) {
    log.warn({ path, reason: messageOf(error) }, `a stored file cannot be used: ${means}`);
    if (error instanceof StoredProblem) await quarantine.setAside(path, error.why);
    return undefined;
  }
}

/** Logs the first problem of each path, so that a file that is read again and again fills no log. */
export type OnceEach = (path: string, reason: string, message: string) => void;

export function onceEach(log: Log): OnceEach {
  const logged = new Set<string>();
  return (path, reason, message) => {
    if (logged.has(path)) return;
    logged.add(path);
    log.warn({ path, reason }, message);
  };
}
