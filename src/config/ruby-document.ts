/**
 * YAML as read by Ruby's YAML.safe_load, for files that Ruby programs read as well. Scalars are Ruby's (`12e4` is text,
 * `yes` is true), unknown tags are ignored, and keys need not be text.
 */
import type { Schema } from 'js-yaml';
import { RubyFloat, rubyScalar } from '../util/ruby-scalar.ts';

/** Stands for a key that is a list or a mapping, which is never looked up. */
const NO_TEXT = '(not text)';

/** A prefix that matches every tag. */
const ANY_TAG = '';

let schema: Schema | undefined;

/** The schema for js-yaml. */
export async function rubyDocumentSchema(): Promise<Schema> {
  if (schema !== undefined) return schema;
  const { defineMappingTag, defineScalarTag, defineSequenceTag, ...yaml } = await import('js-yaml');
  const { mapTag, seqTag, strTag } = yaml;
  const identify = () => false;
  const any = { matchByTagPrefix: true, identify };
  const anyKey: typeof mapTag.addPair = (mapping, key, value) => {
    const merged = key === '<<' ? mergedPairs(value) : undefined;
    for (const [one, its] of merged ?? []) mapTag.addPair(mapping, one, its);
    if (merged !== undefined) return '';
    return mapTag.addPair(mapping, typeof key === 'object' && key !== null ? NO_TEXT : key, value);
  };
  schema = new yaml.Schema([
    ...[strTag, seqTag],
    defineMappingTag(mapTag.tagName, { ...mapTag, addPair: anyKey }),
    defineScalarTag('!plain', { implicit: true, resolve: plainScalar, identify }),
    defineScalarTag(ANY_TAG, { ...any, resolve: plainScalar }),
    defineSequenceTag(ANY_TAG, { ...seqTag, ...any }),
    defineMappingTag(ANY_TAG, { ...mapTag, ...any, addPair: anyKey }),
  ]);
  return schema;
}

/**
 * What the key `<<` adds, as in Psych (to_ruby.rb, revive_hash): of several mappings the first wins. Undefined for any
 * other value, with which `<<` is an ordinary key.
 */
function mergedPairs(value: unknown): [string, unknown][] | undefined {
  const sources: unknown[] = [value].flat();
  if (!sources.every(isMapping)) return undefined;
  return sources.reverse().flatMap((source) => Object.entries(source));
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Plain data. Dates and symbols (`::1`), which Bolt refuses, become text, and so do unbounded numbers. */
function plainScalar(source: string): string | number | boolean | null {
  if (source.startsWith(':')) return source;
  const value = rubyScalar(source);
  if (value instanceof RubyFloat) return value.value;
  return value instanceof Date || typeof value === 'bigint' ? source : value;
}
