/**
 * The lines of Puppet's report, in groups: a report has 28 lines per resource, and without compiled code handing them
 * over one by one costs the agent more than processing them.
 */
import { systemCode } from '../../errors.ts';
import { NotAFile, openRegularFile } from '../../util/regular-file.ts';

const MAX_FILE_BYTES = 256 << 20;
const CHUNK_BYTES = 64 << 10;

/** Maximum characters of a line; the rest is left out. */
export const MAX_LINE = 32 * 1024;

/** Yields groups of whole lines without line breaks; none if the file is missing or unreadable. */
export async function* reportLines(path: string, encoding: 'latin1' | 'utf8'): AsyncGenerator<string[]> {
  let rest = '';
  let hasReturns = false;
  try {
    const file = await openRegularFile(path);
    const input = file.createReadStream({ end: MAX_FILE_BYTES, encoding, highWaterMark: CHUNK_BYTES });
    for await (const chunk of input as AsyncIterable<string>) {
      hasReturns ||= chunk.includes('\r');
      const lines = chunk.split('\n');
      lines[0] = rest.length < MAX_LINE ? rest + lines[0] : rest;
      rest = (lines.pop() ?? '').slice(0, MAX_LINE);
      yield hasReturns ? lines.map(withoutReturn) : lines;
    }
  } catch (error) {
    if (!(error instanceof NotAFile) && systemCode(error) === undefined) throw error;
  }
  if (rest !== '') yield [withoutReturn(rest)];
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
