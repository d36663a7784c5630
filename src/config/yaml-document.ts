/** The text of a YAML file as one document, with the lines of its keys for messages. */
import { constructFromEvents, getScalarValue, parseEvents, YAMLException } from 'js-yaml';
import { type ErrorCode, KickError } from '../errors.ts';
import type { Problem } from '../util/schema.ts';
import { putPlainLines, takePlainLines } from './plain-lines.ts';
import { isDeeperThan } from './yaml-depth.ts';
import type { YamlLines } from './yaml-lines.ts';

const MAX_DEPTH = 16;
/** js-yaml's own default. */
const RUBY_DEPTH = 100;

export interface YamlPlaces {
  /** The line, from 1, of a key or an item. */
  lineOf(keys: readonly string[]): number;
  /** Each as `path:line: key: problem`. */
  describe(problems: readonly Problem[]): string[];
}

export interface YamlDocument {
  /** Plain data; null for an empty file. */
  value: unknown;
  /** With `isRuby`: oddities that are ignored. */
  oddities: readonly Problem[];
  /** Where keys and items are. The file is parsed again for it. */
  places(): Promise<YamlPlaces>;
  /** Makes the error that reports these problems. */
  refuse(problems: readonly Problem[]): Promise<KickError>;
}

export interface DocumentOptions {
  /** What the file is, for messages. */
  what: string;
  code: ErrorCode;
  /** Maximum number of YAML aliases; defaults to none: they are not needed, and make YAML bombs. */
  maxAliases?: number;
  /** Whether to read it as Ruby does (ruby-document.ts), which hides typos; defaults to false. */
  isRuby?: boolean;
}

/** Throws `KickError` with `path:line: problem`. */
export async function parseDocument(
  text: string,
  path: string,
  options: DocumentOptions,
): Promise<YamlDocument> {
  const { what, code, maxAliases = 0, isRuby = false } = options;
  const { documents, hasRepeated } = await parse(text, path, { what, code, maxAliases, isRuby });
  if (documents.length > 1 && !isRuby) {
    throw new KickError(code, `read the ${what} "${path}": there is more than one document in it`);
  }
  // js-yaml counts what is written: each alias may lead as deep again.
  if (maxAliases > 0 && text.includes('*') && isDeeperThan(documents[0], RUBY_DEPTH)) {
    const why = `its aliases lead deeper than ${RUBY_DEPTH} lists and mappings`;
    throw new KickError(code, `read the ${what} "${path}": ${why}`);
  }
  // Parsed again when needed, which is rare: keeping the events of a long file would take too much memory.
  let lines: Promise<YamlLines> | undefined;
  const linesOf = () => (lines ??= linesIn(text));
  const places = async (): Promise<YamlPlaces> => placesIn(await linesOf(), path);
  return {
    value: documents[0],
    oddities: [
      ...(hasRepeated ? (await linesOf()).repeated : []),
      ...(documents.length > 1 ? [{ path: [], message: 'only the first document of the file is read' }] : []),
    ],
    places,
    async refuse(problems) {
      const { describe } = await places();
      return new KickError(code, `read the ${what}:\n  ${describe(problems).join('\n  ')}`);
    },
  };
}

async function linesIn(text: string): Promise<YamlLines> {
  const { yamlLines } = await import('./yaml-lines.ts');
  return yamlLines(parseEvents(text, {}), { text, textOf: (event) => getScalarValue(text, event) });
}

function placesIn({ lineOf }: YamlLines, path: string): YamlPlaces {
  return {
    lineOf,
    describe: (problems: readonly Problem[]) =>
      problems.map(({ path: keys, message }) => {
        const name = keys.length > 0 ? `${keys.join('.')}: ` : '';
        return `${path}:${lineOf(keys)}: ${name}${message}`;
      }),
  };
}

interface ParseOptions {
  what: string;
  code: ErrorCode;
  maxAliases: number;
  isRuby: boolean;
}

/** `hasRepeated`: there are duplicate keys, which only Ruby accepts. */
async function parse(
  text: string,
  path: string,
  { what, code, maxAliases, isRuby }: ParseOptions,
): Promise<{ documents: unknown[]; hasRepeated: boolean }> {
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
      // js-yaml's `json` option means that of two equal keys the later one wins.
      return { documents: documentsOf(text, true), hasRepeated: true };
    }
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const line = (error.mark?.line ?? 0) + 1;
    throw new KickError(code, `read the ${what}:\n  ${path}:${line}: ${error.reason}`, { cause: error });
  }
}

/** Errors and their positions come from parsing the whole text. */
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
