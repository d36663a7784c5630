/** Who did what, when, from where and with which result: a line each, only ever appended. */
import { constants } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { KickError, messageOf, systemCode } from '../../errors.ts';
import type { Clock } from '../../util/clock.ts';
import { type LineFormat, lineDecoder } from '../../util/json.ts';
import type { Log } from '../../util/log.ts';
import { openOwnFile, readFrom } from '../../util/regular-file.ts';
import { clip } from '../../util/text.ts';
import { isoTime } from '../../util/times.ts';
import { AuditLineSchema } from '../api/access.ts';

export type AuditLine = v.InferOutput<typeof AuditLineSchema>;

export interface Audit {
  add(line: Omit<AuditLine, 'at'>): Promise<void>;
  /** Newest first, of those before the byte `before`; `next` is where the page after this one ends. */
  page(options: {
    limit: number;
    before?: number | undefined;
  }): Promise<{ lines: AuditLine[]; next?: number }>;
}

/** Bytes read at once from the end of the file. */
const CHUNK = 256 << 10;

export async function openAudit(webDir: string, { clock, log }: { clock: Clock; log: Log }): Promise<Audit> {
  await makeFolder(webDir);
  const path = join(webDir, 'audit.jsonl');
  /** One line after the other. */
  let last: Promise<void> = Promise.resolve();
  return {
    add(line) {
      const text = JSON.stringify({ at: isoTime(clock.now()), ...clipped(line) });
      last = last.then(() =>
        append(path, `${text}\n`).catch((error: unknown) =>
          // What cannot be written there must be somewhere.
          log.error({ audit: text, reason: String(error) }, 'the audit log cannot be written'),
        ),
      );
      return last;
    },
    page: (options) => readPage(path, options),
  };
}

/** Throws `KickError` `state`. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new KickError('state', `make the folder "${path}": ${messageOf(error)}`, {
      hint: 'something else is in its place',
      cause: error,
    });
  }
}

async function append(path: string, text: string): Promise<void> {
  const handle = await openOwnFile(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT);
  try {
    const { size } = await handle.stat();
    const end = await readFrom(handle, size - 1, Math.min(size, 1));
    // Half a line, of a full disk or a power loss, must not take this one with it.
    await handle.writeFile(size === 0 || end[0] === 10 ? text : `\n${text}`);
  } finally {
    await handle.close();
  }
}

function clipped(line: Omit<AuditLine, 'at'>): Omit<AuditLine, 'at'> {
  return { ...line, ...(line.detail !== undefined && { detail: clip(line.detail, 1000) }) };
}

async function readPage(
  path: string,
  { limit, before }: { limit: number; before?: number | undefined },
): Promise<{ lines: AuditLine[]; next?: number }> {
  const handle = await openOwnFile(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (handle === undefined) return { lines: [] };
  try {
    const { size } = await handle.stat();
    const end = Math.min(before ?? size, size);
    const from = Math.max(0, end - CHUNK);
    const bytes = Buffer.alloc(end - from);
    await handle.read(bytes, 0, bytes.length, from);
    return linesOf(bytes, { from, limit });
  } finally {
    await handle.close();
  }
}

const LINES: LineFormat<AuditLine> = {
  shortest: '{"at":"","who":"","via":"","address":"","what":"","status":0}'.length,
  decode(value) {
    const parsed = v.safeParse(AuditLineSchema, value);
    return parsed.success ? parsed.output : undefined;
  },
};

/** The last lines of a part of the file; its first line is whole only at the beginning of the file. */
function linesOf(bytes: Buffer, { from, limit }: { from: number; limit: number }) {
  const decode = lineDecoder(LINES);
  const lines: AuditLine[] = [];
  let end = bytes.length;
  while (lines.length < limit && end > 0) {
    const start = end === 1 ? 0 : bytes.lastIndexOf(10, end - 2) + 1;
    if (start === 0 && from > 0) break;
    const line = decode(bytes.toString('utf8', start, end).trimEnd());
    if (line !== undefined) lines.push(line);
    end = start;
  }
  // A line that is longer than what is read at once is damage: the page after this one begins before it.
  const next = end === bytes.length ? from : from + end;
  return { lines, ...(next > 0 && { next }) };
}
