/** A YAML file of ours: bounded, then its shape checked, all its problems at once and each with its line. */
import { readFile, stat } from 'node:fs/promises';
import type { Event as YamlEvent } from 'js-yaml';
import * as v from 'valibot';
import { type ErrorCode, KickError, messageOf, systemCode } from '../errors.ts';
import { decodeUtf8, JsonError } from '../util/json.ts';
import { type Problem, problemsOf } from '../util/schema.ts';
import { putPlainLines, takePlainLines } from './plain-lines.ts';

const MAX_BYTES = 4 << 20;
const MAX_DEPTH = 16;

export interface YamlFileOptions {
  /** What it is, for messages: `inventory`. */
  what: string;
  /** `config` unless told. */
  code?: ErrorCode;
}

/**
 * The content of a YAML file as `schema` gives it; undefined when there is no such file. An empty
 * file is an empty mapping. Throws `KickError` with one `path:line: key: problem` a line.
 */
export async function readYamlFile<S extends v.GenericSchema>(
  path: string,
  schema: S,
  { what, code = 'config' }: YamlFileOptions,
): Promise<v.InferOutput<S> | undefined> {
  const document = await readYamlDocument(path, { what, code });
  if (document === undefined) return undefined;
  const parsed = v.safeParse(schema, document.value ?? {});
  if (parsed.success) return parsed.output;
  throw document.refuse(problemsOf(parsed.issues));
}

export interface YamlDocument {
  /** Plain data; null for an empty file. */
  value: unknown;
  /** The error that tells these problems, each with its line. */
  refuse(problems: readonly Problem[]): KickError;
}

export interface YamlDocumentOptions extends YamlFileOptions {
  /** Bytes of the file at the most; 4 MB unless told. */
  maxBytes?: number;
  /** YAML's aliases at the most. None unless told: nobody needs them, and a bomb is made of them. */
  maxAliases?: number;
}

/** The one document of a file, its shape not looked at; undefined when there is no such file. */
export async function readYamlDocument(
  path: string,
  { what, code = 'config', maxBytes = MAX_BYTES, maxAliases = 0 }: YamlDocumentOptions,
): Promise<YamlDocument | undefined> {
  const text = await readText(path, { what, code, maxBytes });
  if (text === undefined) return undefined;
  const { parseEvents } = await import('js-yaml');
  const value = await parse(text, path, { what, code, maxAliases });
  return {
    value,
    refuse(problems) {
      // Parsed once more: the events of a long file would fill the memory for a case that is rare.
      const known = linesOf(parseEvents(text, { maxDepth: MAX_DEPTH }), text);
      const told = problems.map(({ path: keys, message }) => {
        const name = keys.length > 0 ? `${keys.join('.')}: ` : '';
        return `${path}:${lineOf(known, keys)}: ${name}${message}`;
      });
      return new KickError(code, `read the ${what}:\n  ${told.join('\n  ')}`);
    },
  };
}

interface About {
  what: string;
  code: ErrorCode;
}

async function readText(
  path: string,
  { what, code, maxBytes }: About & { maxBytes: number },
): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size > maxBytes) {
      throw new KickError(code, `read the ${what} "${path}": it is larger than ${maxBytes} bytes`);
    }
    return decodeUtf8(await readFile(path));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    if (error instanceof KickError) throw error;
    const why = error instanceof JsonError ? 'it is not UTF-8' : messageOf(error);
    throw new KickError(code, `read the ${what} "${path}": ${why}`, { cause: error });
  }
}

async function parse(
  text: string,
  path: string,
  { what, code, maxAliases }: About & { maxAliases: number },
): Promise<unknown> {
  const { constructFromEvents, parseEvents, YAMLException } = await import('js-yaml');
  const documentsOf = (source: string) =>
    constructFromEvents(parseEvents(source, { maxDepth: MAX_DEPTH }), { source, maxAliases });
  try {
    const documents = parseShortened(text, documentsOf) ?? documentsOf(text);
    if (documents.length > 1) {
      throw new KickError(code, `read the ${what} "${path}": there is more than one document in it`);
    }
    return documents[0];
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const line = (error.mark?.line ?? 0) + 1;
    throw new KickError(code, `read the ${what}:\n  ${path}:${line}: ${error.reason}`, { cause: error });
  }
}

/** What is wrong, and where, is told by YAML of the whole text. */
function parseShortened(text: string, documentsOf: (source: string) => unknown[]): unknown[] | undefined {
  const short = takePlainLines(text);
  if (short === undefined) return undefined;
  try {
    const documents = documentsOf(short.text);
    return putPlainLines(documents, short.lists) ? documents : undefined;
  } catch {
    return undefined;
  }
}

/** The line of each key and item, by its path: `controllers.0.name`. */
type Lines = ReadonlyMap<string, number>;

function lineOf(lines: Lines, keys: readonly string[]): number {
  for (let length = keys.length; length > 0; length--) {
    const line = lines.get(keys.slice(0, length).join('\0'));
    if (line !== undefined) return line;
  }
  return 1;
}

/** js-yaml's events (its EVENT_ID): the type of each, by number. */
const DOCUMENT = 1;
const SEQUENCE = 2;
const MAPPING = 3;
const SCALAR = 4;
const POP = 6;

function linesOf(events: readonly YamlEvent[], text: string): Lines {
  const lines = new Map<string, number>();
  const starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  const lineAt = (offset: number) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
  const open: { type: number; path: string[]; count: number; key?: string | undefined }[] = [];
  for (const event of events) {
    const parent = open.at(-1);
    if (event.type === POP) {
      open.pop();
      continue;
    }
    if (parent?.type === MAPPING && parent.key === undefined) {
      parent.key = event.type === SCALAR ? text.slice(event.valueStart, event.valueEnd) : '';
      if (event.type === SCALAR) {
        lines.set([...parent.path, parent.key].join('\0'), lineAt(event.valueStart));
        continue;
      }
    }
    const path = [...(parent?.path ?? [])];
    if (parent?.type === MAPPING) {
      path.push(parent.key ?? '');
      parent.key = undefined;
    } else if (parent?.type === SEQUENCE) {
      path.push(String(parent.count++));
      const at = event.type === SCALAR ? event.valueStart : 'start' in event ? event.start : undefined;
      if (at !== undefined) lines.set(path.join('\0'), lineAt(at));
    }
    if (event.type === DOCUMENT || event.type === SEQUENCE || event.type === MAPPING) {
      open.push({ type: event.type, path, count: 0 });
    }
  }
  return lines;
}
