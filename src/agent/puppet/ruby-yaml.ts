/**
 * YAML as Ruby writes and reads it: scalars are Ruby's (ruby-scalar.ts), and tags, including `!ruby/object:…`, become
 * plain data and never objects.
 */
import type { ScalarEvent, Event as YamlEvent } from 'js-yaml';
import { RubyFloat, type RubyScalar, rubyScalar } from '../../util/ruby-scalar.ts';

const MAX_DEPTH = 16;
/** Aliases make YAML bombs; Ruby itself only writes one for a list or mapping that it has written before. */
const MAX_ALIASES = 20;

/** Parses to plain data; references to anchors outside of `text` become null. Undefined if it is no YAML or exceeds the limits. */
export async function parseRubyYaml(text: string): Promise<unknown> {
  parser ??= rubyParser();
  const parse = await parser;
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

let parser: Promise<(text: string) => unknown> | undefined;

async function rubyParser(): Promise<(text: string) => unknown> {
  const yaml = await import('js-yaml');
  const schema = schemaOf(yaml);
  const { ALIAS } = yaml.EVENT_ID;

  /** A reference without an anchor becomes an empty scalar, which is null. */
  function known(events: readonly YamlEvent[], source: string): YamlEvent[] {
    const anchors = new Set<string>();
    return events.map((event) => {
      if (!('anchorStart' in event) || event.anchorStart === NOWHERE) return event;
      const name = source.slice(event.anchorStart, event.anchorEnd);
      if (event.type !== ALIAS) anchors.add(name);
      else if (!anchors.has(name)) return EMPTY;
      return event;
    });
  }

  return (source) => {
    const events = known(yaml.parseEvents(source, { maxDepth: MAX_DEPTH }), source);
    // `json`: of two equal keys the later one wins, as in Ruby.
    return yaml.constructFromEvents(events, { source, schema, json: true, maxAliases: MAX_ALIASES })[0];
  };
}

const NOWHERE = -1;
const EMPTY: ScalarEvent = {
  type: 4,
  valueStart: NOWHERE,
  valueEnd: NOWHERE,
  anchorStart: NOWHERE,
  anchorEnd: NOWHERE,
  tagStart: NOWHERE,
  tagEnd: NOWHERE,
  style: 1,
  chomping: 1,
  indent: -1,
  fast: false,
};

function schemaOf(yaml: typeof import('js-yaml')) {
  const identify = () => false;
  const plain = yaml.defineScalarTag<RubyScalar>('!plain', {
    implicit: true,
    resolve: (source) => rubyScalar(source),
    identify,
  });
  // An empty prefix matches any tag.
  const any = { matchByTagPrefix: true, identify };
  return new yaml.Schema([
    ...[yaml.strTag, yaml.seqTag, yaml.mapTag, plain],
    yaml.defineScalarTag<unknown>('', { ...any, resolve: (source, _isExplicit, tag) => tagged(source, tag) }),
    yaml.defineSequenceTag('', { ...yaml.seqTag, ...any }),
    yaml.defineMappingTag('', { ...yaml.mapTag, ...any }),
  ]);
}

const TEXT = /^(?:str|ruby\/string|ruby\/sym(?:bol)?|ruby\/(?:class|module|regexp|range|encoding))(?::|$)/;

/** lib/psych/visitors/to_ruby.rb, deserialize. */
function tagged(source: string, tag: string): unknown {
  const name = tag.replace(/^(?:!|tag:yaml\.org,2002:)/, '');
  if (name === 'binary') return Buffer.from(source, 'base64').toString('utf8');
  if (TEXT.test(name)) return source;
  const value = rubyScalar(source);
  return name === 'float' && typeof value === 'number' ? new RubyFloat(value) : value;
}
