/** Reads a YAML file of ours: bounded, checked against a schema, reporting all problems at once, each with its line. */
import * as v from 'valibot';
import { type ErrorCode, KickError, messageOf, systemCode } from '../errors.ts';
import { isLink } from '../util/files.ts';
import { decodeUtf8, JsonError } from '../util/json.ts';
import { problemsOf } from '../util/schema.ts';
import { readTrusted } from '../util/trusted-file.ts';
import type { DocumentOptions, YamlDocument } from './yaml-document.ts';

const MAX_BYTES = 4 << 20;

export interface YamlFileOptions {
  /** What the file is, for messages: `inventory`. */
  what: string;
  /** Defaults to `config`. */
  code?: ErrorCode;
}

/**
 * Returns the content of a YAML file as parsed by `schema`; undefined if there is no such file. An empty
 * file is an empty mapping. Throws `KickError` with `path:line: key: problem`, one per line, and `untrusted` for a file that
 * others can change.
 */
export async function readYamlFile<S extends v.GenericSchema>(
  path: string,
  schema: S,
  { what, code = 'config' }: YamlFileOptions,
): Promise<v.InferOutput<S> | undefined> {
  const text = await readText(path, { what, code, maxBytes: MAX_BYTES });
  if (text === undefined) return undefined;
  if (hasOnlyComments(text)) {
    const empty = v.safeParse(schema, {});
    if (empty.success) return empty.output;
  }
  const document = await documentIn(text, path, { what, code });
  const parsed = v.safeParse(schema, document.value ?? {});
  if (parsed.success) return parsed.output;
  const { withNearKeys } = await import('./near-keys.ts');
  throw await document.refuse(withNearKeys(schema, problemsOf(parsed.issues)));
}

export interface YamlDocumentOptions extends YamlFileOptions, Pick<DocumentOptions, 'maxAliases' | 'isRuby'> {
  /** Maximum bytes of the file; defaults to 4 MB. */
  maxBytes?: number;
}

/**
 * Reads the one document of a file without checking its shape; undefined if there is no such file: then nothing that parses
 * is loaded.
 */
export async function readYamlDocument(
  path: string,
  options: YamlDocumentOptions,
): Promise<YamlDocument | undefined> {
  const { what, code = 'config', maxBytes = MAX_BYTES } = options;
  const text = await readText(path, { what, code, maxBytes });
  return text === undefined ? undefined : documentIn(text, path, { ...options, code });
}

async function documentIn(text: string, path: string, options: DocumentOptions): Promise<YamlDocument> {
  const { parseDocument } = await import('./yaml-document.ts');
  return parseDocument(text, path, options);
}

/** As packages bring it. Then nothing that parses is loaded, 0.4 MB of an agent. */
function hasOnlyComments(text: string): boolean {
  return text.split('\n').every((line) => /^ *(?:#|\r?$)/.test(line));
}

async function readText(
  path: string,
  { what, code, maxBytes }: { what: string; code: ErrorCode; maxBytes: number },
): Promise<string | undefined> {
  try {
    return decodeUtf8(readTrusted(path, { doing: `read the ${what} "${path}"`, maxBytes }));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') {
      if (!(await isLink(path))) return undefined;
      throw new KickError(code, `read the ${what} "${path}": it is a link to a file that is missing`);
    }
    if (error instanceof KickError) throw error;
    const why = error instanceof JsonError ? 'it is not UTF-8' : messageOf(error);
    throw new KickError(code, `read the ${what} "${path}": ${why}`, { cause: error });
  }
}
