/** Splits what a run prints into lines: records of Puppet's --logdest FILE.jsonl, and console output. */
import { type LogLine, LogLineSchema } from '../../protocol/event.ts';
import { fitTo } from '../../util/fit.ts';
import { type LineFormat, lineDecoder } from '../../util/json.ts';
import { clip } from '../../util/text.ts';
import { RUN_FILES } from './run-files.ts';

export const SOURCES = ['log', 'output'] as const;
export type Source = (typeof SOURCES)[number];

/** Bytes read at once, and bytes of lines in one event (well below MAX_EVENT_BYTES as JSON). */
export const CHUNK = 256 << 10;
const EVENT_LINES_BYTES = 24 << 10;
const MAX_LINE = 8192;
const MAX_LINE_CLIPPED = 2000;

/** Where the last whole line ends. A line longer than the chunk counts as whole, and so does the final rest. */
export function wholeLines(bytes: Buffer, isRest: boolean): number {
  if (isRest || (bytes.length >= CHUNK && !bytes.includes(0x0a))) return bytes.length;
  return bytes.lastIndexOf(0x0a) + 1;
}

function splitLines(bytes: Buffer): string[] {
  return bytes
    .toString('utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
}

export function linesOf(source: Source, bytes: Buffer): LogLine[] {
  const lines = splitLines(bytes);
  if (source === 'output') return lines.map(outputLine);
  const decode = lineDecoder(RECORDS);
  return lines.map((text) => decode(text) ?? brokenRecord(text));
}

function outputLine(text: string): LogLine {
  return { level: 'output', message: clip(text, MAX_LINE_CLIPPED) };
}

/**
 * A line of the log that is no record: part of one that is too long, or that starts before what was kept. Its source
 * distinguishes it from the console, where Ruby itself may report an error (see log-findings.ts).
 */
function brokenRecord(text: string): LogLine {
  return { ...outputLine(text), source: RUN_FILES.log };
}

/** Records of Puppet's --logdest FILE.jsonl. */
const RECORDS: LineFormat<LogLine> = {
  shortest: '{"level":"err"}'.length,
  decode(record) {
    const { level, message, source, file, line } = record as Record<string, unknown>;
    return fitTo(LogLineSchema, {
      level,
      message: clip(String(message ?? ''), MAX_LINE),
      ...(typeof source === 'string' && { source: clip(source, 1024) }),
      ...(typeof file === 'string' && { file: clip(file, 1024) }),
      ...(typeof line === 'number' && { line }),
    });
  },
};

export function inEvents(lines: readonly LogLine[]): LogLine[][] {
  const groups: LogLine[][] = [];
  let bytes = 0;
  for (const line of lines) {
    const size = Buffer.byteLength(JSON.stringify(line)) + 1;
    const group = groups.at(-1);
    if (group === undefined || bytes + size > EVENT_LINES_BYTES) {
      groups.push([line]);
      bytes = size;
    } else {
      group.push(line);
      bytes += size;
    }
  }
  return groups;
}
