/** JSON from the wire: bounded in bytes and depth, valid UTF-8, canonical spelling. */

export class JsonError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'JsonError';
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Decodes bytes to text; throws `JsonError` if they are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new JsonError('not UTF-8');
  }
}

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === 0x5c) i++;
      else if (c === 0x22) inString = false;
    } else if (c === 0x22) inString = true;
    else if (c === 0x7b || c === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (c === 0x7d || c === 0x5d) depth--;
  }
  return deepest;
}

export interface JsonLimits {
  /** Bytes. */
  maxBytes: number;
  /** Maximum nesting of objects and arrays; defaults to 16. */
  maxDepth?: number;
}

/** Parses JSON within limits; throws `JsonError`. */
export function parseJson(bytes: Uint8Array, { maxBytes, maxDepth = 16 }: JsonLimits): unknown {
  if (bytes.byteLength > maxBytes) throw new JsonError(`longer than ${maxBytes} bytes`);
  const text = decodeUtf8(bytes);
  if (depthOf(text) > maxDepth) throw new JsonError(`nested deeper than ${maxDepth}`);
  return parsed(text);
}

/** Characters in which nothing is so deep that a stack overflows. */
const SHALLOW = 2048;
const MAX_DEPTH = 100;

/**
 * Parses the text of a file: what comes of it may be cloned, compared and written again, which V8 does by recursion. Throws
 * `JsonError`.
 */
export function parseJsonText(text: string): unknown {
  if (text.length > SHALLOW && depthOf(text) > MAX_DEPTH)
    throw new JsonError(`nested deeper than ${MAX_DEPTH}`);
  return parsed(text);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new JsonError('not JSON', error);
  }
}

/**
 * Parses JSON that must be exactly as `JSON.stringify` writes it: no white space, no duplicate keys, no
 * alternative forms of strings or numbers, so that two parsers cannot read it differently. Throws
 * `JsonError`.
 */
export function parseStrictJson(bytes: Uint8Array, limits: JsonLimits): unknown {
  const value = parseJson(bytes, limits);
  if (JSON.stringify(value) !== decodeUtf8(bytes)) {
    throw new JsonError('not in the one spelling of JSON.stringify');
  }
  return value;
}

/** Writes a value with the keys of every object sorted: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner;
    return Object.fromEntries(
      Object.entries(inner)
        .filter(([, v]) => v !== undefined)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  });
}

// ---------------------------------------------------------------- lines

/** Broken lines of one read. Behind them its others count as broken, too: kick has not written this. */
const MAX_BROKEN = 1000;

/**
 * Lines of JSON in a file. One that is none costs an error of the parser, which takes as long as twenty that are, and damage, or
 * whoever may write there, makes a line of every other byte: what cannot be a line of this file is not parsed.
 */
export interface LineFormat<T> {
  /** Characters of the shortest line that says anything. */
  shortest: number;
  /** Whether a line is as it was written, as far as can be told before it is parsed. Defaults to all. */
  isWhole?(line: string): boolean;
  /** What a line says; undefined, or an error, for one that is broken. */
  decode(value: object): T | undefined;
  /** Whether a line is of this version of kick; those of others are passed over, however many there are. Defaults to all. */
  isKnown?(value: object): boolean;
}

/** Returns what decodes the lines of one read, one after the other; undefined for a line that is passed over. */
export function lineDecoder<T>({
  shortest,
  isWhole,
  decode,
  isKnown,
}: LineFormat<T>): (line: string) => T | undefined {
  let broken = 0;

  function decoded(line: string): T | undefined {
    const value = parseJsonText(line) as object;
    if (isKnown?.(value) === false) return undefined;
    const made = decode(value);
    if (made === undefined) broken += 1;
    return made;
  }

  return (line) => {
    if (broken >= MAX_BROKEN || line.length < shortest || !isObject(line)) return undefined;
    try {
      return isWhole?.(line) === false ? undefined : decoded(line);
    } catch {
      broken += 1;
      return undefined;
    }
  };
}

/** As far as its ends tell. */
const isObject = (line: string) => line.startsWith('{') && line.endsWith('}');
