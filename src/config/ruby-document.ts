/**
 * YAML as Ruby's YAML.safe_load takes it, for files that a program in Ruby reads too. Its scalars are Ruby's (`12e4` is
 * text, `yes` is true), a tag that nobody knows changes nothing, and what is a key need not be text.
 */
import type { Schema } from 'js-yaml';
import { RubyFloat, rubyScalar } from '../util/ruby-scalar.ts';

/** The name of a key that is a list or a mapping: nobody asks for it. */
const NO_TEXT = '(not text)';

/** Matches every tag, as a prefix of it. */
const ANY_TAG = '';

let schema: Schema | undefined;

/** js-yaml's schema for it. */
export async function rubyDocumentSchema(): Promise<Schema> {
  if (schema !== undefined) return schema;
  const { defineMappingTag, defineScalarTag, defineSequenceTag, ...yaml } = await import('js-yaml');
  const { mapTag, seqTag, strTag } = yaml;
  const identify = () => false;
  const any = { matchByTagPrefix: true, identify };
  const anyKey: typeof mapTag.addPair = (mapping, key, value) =>
    mapTag.addPair(mapping, typeof key === 'object' && key !== null ? NO_TEXT : key, value);
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

/** Plain data. Dates and symbols (`::1`), which Bolt refuses, are their text, and so are numbers without bounds. */
function plainScalar(source: string): string | number | boolean | null {
  if (source.startsWith(':')) return source;
  const value = rubyScalar(source);
  if (value instanceof RubyFloat) return value.value;
  return value instanceof Date || typeof value === 'bigint' ? source : value;
}
