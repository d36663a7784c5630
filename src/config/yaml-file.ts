/** A YAML file of ours: bounded, then its shape checked, all its problems at once and each with its line. */
import { readFile, stat } from 'node:fs/promises';
import * as v from 'valibot';
import { type ErrorCode, KickError, messageOf, systemCode } from '../errors.ts';
import { decodeUtf8, JsonError } from '../util/json.ts';
import { type Problem, problemsOf } from '../util/schema.ts';
import { putPlainLines, takePlainLines } from './plain-lines.ts';
import { type YamlLines, yamlLines } from './yaml-lines.ts';

const MAX_BYTES = 4 << 20;
const MAX_DEPTH = 16;
/** As deep as js-yaml goes by itself. */
const RUBY_DEPTH = 100;

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
  /** What is odd in it and passed over, with `isRuby`. */
  oddities: readonly Problem[];
  /** The line, from 1, of a key or an item. */
  lineOf(keys: readonly string[]): number;
  /** Each as `path:line: key: problem`. */
  told(problems: readonly Problem[]): string[];
  /** The error that tells these problems. */
  refuse(problems: readonly Problem[]): KickError;
}

export interface YamlDocumentOptions extends YamlFileOptions {
  /** Bytes of the file at the most; 4 MB unless told. */
  maxBytes?: number;
  /** YAML's aliases at the most. None unless told: nobody needs them, and a bomb is made of them. */
  maxAliases?: number;
  /** Whether it is read as Ruby reads it: ruby-document.ts. Not unless told: a typing error is one. */
  isRuby?: boolean;
}

/** The one document of a file, its shape not looked at; undefined when there is no such file. */
export async function readYamlDocument(
  path: string,
  options: YamlDocumentOptions,
): Promise<YamlDocument | undefined> {
  const { what, code = 'config', maxBytes = MAX_BYTES, maxAliases = 0, isRuby = false } = options;
  const text = await readText(path, { what, code, maxBytes });
  if (text === undefined) return undefined;
  const { getScalarValue, parseEvents } = await import('js-yaml');
  // Parsed once more: the events of a long file would fill the memory for a case that is rare.
  let lines: YamlLines | undefined;
  const linesOf = () =>
    (lines ??= yamlLines(parseEvents(text, {}), { text, textOf: (event) => getScalarValue(text, event) }));
  const { documents, hasRepeated } = await parse(text, path, { what, code, maxAliases, isRuby });
  if (documents.length > 1 && !isRuby) {
    throw new KickError(code, `read the ${what} "${path}": there is more than one document in it`);
  }
  const oddities = [
    ...(hasRepeated ? linesOf().repeated : []),
    ...(documents.length > 1 ? [{ path: [], message: 'only the first document of the file is read' }] : []),
  ];
  const lineOf = (keys: readonly string[]) => linesOf().lineOf(keys);
  const told = (problems: readonly Problem[]) =>
    problems.map(({ path: keys, message }) => {
      const name = keys.length > 0 ? `${keys.join('.')}: ` : '';
      return `${path}:${lineOf(keys)}: ${name}${message}`;
    });
  const refuse = (problems: readonly Problem[]) =>
    new KickError(code, `read the ${what}:\n  ${told(problems).join('\n  ')}`);
  return { value: documents[0], oddities, lineOf, told, refuse };
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

interface ParseOptions extends About {
  maxAliases: number;
  isRuby: boolean;
}

/** `hasRepeated`: there are keys that stand twice, which only Ruby accepts. */
async function parse(
  text: string,
  path: string,
  { what, code, maxAliases, isRuby }: ParseOptions,
): Promise<{ documents: unknown[]; hasRepeated: boolean }> {
  const { constructFromEvents, parseEvents, YAMLException } = await import('js-yaml');
  const limits = { maxDepth: isRuby ? RUBY_DEPTH : MAX_DEPTH };
  const schema = isRuby ? { schema: await (await import('./ruby-document.ts')).rubyDocumentSchema() } : {};
  const documentsOf = (source: string, json = false) =>
    constructFromEvents(parseEvents(source, limits), { source, maxAliases, json, ...schema });
  try {
    const shortened = parseShortened(text, documentsOf);
    if (shortened !== undefined) return { documents: shortened, hasRepeated: false };
    try {
      return { documents: documentsOf(text), hasRepeated: false };
    } catch (error) {
      if (!isRuby || !(error instanceof YAMLException)) throw error;
      // What js-yaml calls JSON is that of two equal keys the later one holds.
      return { documents: documentsOf(text, true), hasRepeated: true };
    }
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
