/** Line numbers of keys and items in a YAML file, from js-yaml's events: a parsed document has none. */
import type { Event as YamlEvent } from 'js-yaml';
import type { Problem } from '../util/schema.ts';

type Path = readonly string[];

export interface YamlLines {
  /** The line, from 1, of a key or an item, or of the nearest existing parent. */
  lineOf(keys: Path): number;
  /** Duplicate keys of mappings. */
  repeated: Problem[];
}

/** js-yaml's EVENT_ID. */
const SEQUENCE = 2;
const MAPPING = 3;
const SCALAR = 4;
const ALIAS = 5;
const POP = 6;

/** An open document, list or mapping. */
interface Frame {
  type: number;
  path: Path;
  /** Items of a list so far. */
  count: number;
  /** In a mapping: the key whose value is next. */
  key?: string | undefined;
  /** In a mapping: the keys so far. */
  keys?: Set<string>;
}

export interface YamlLinesOptions {
  /** The whole file. */
  text: string;
  /** A scalar's text. */
  textOf(event: ScalarEvent): string;
}

type ScalarEvent = YamlEvent & { type: typeof SCALAR };

/** For the first document. */
export function yamlLines(events: readonly YamlEvent[], { text, textOf }: YamlLinesOptions): YamlLines {
  const lines = new Map<string, number>();
  const repeated: Problem[] = [];
  const lineAt = lineCounter(text);
  const open: Frame[] = [];

  function readKey(event: YamlEvent, parent: Frame): void {
    // Only scalars can be in a path.
    parent.key = event.type === SCALAR ? textOf(event) : '?';
    const path = [...parent.path, parent.key];
    const at = offsetOf(event);
    if (at !== undefined) lines.set(path.join('\0'), lineAt(at));
    if (event.type !== SCALAR) return;
    parent.keys ??= new Set();
    if (parent.keys.has(parent.key)) {
      repeated.push({ path, message: 'given twice: as in Bolt, the last one holds' });
    }
    parent.keys.add(parent.key);
  }

  for (const event of events) {
    const parent = open.at(-1);
    if (event.type === POP) {
      open.pop();
      if (open.length === 0) break;
      continue;
    }
    let path: Path = parent?.path ?? [];
    if (parent?.type === MAPPING && parent.key === undefined) {
      readKey(event, parent);
      path = [...path, '?'];
    } else if (parent?.type === MAPPING) {
      path = [...path, parent.key ?? ''];
      parent.key = undefined;
    } else if (parent?.type === SEQUENCE) {
      path = [...path, String(parent.count++)];
      const at = offsetOf(event);
      if (at !== undefined) lines.set(path.join('\0'), lineAt(at));
    }
    if (event.type !== SCALAR && event.type !== ALIAS) open.push({ type: event.type, path, count: 0 });
  }
  return { lineOf: (keys) => nearest(lines, keys), repeated };
}

function nearest(lines: ReadonlyMap<string, number>, keys: Path): number {
  for (let length = keys.length; length > 0; length--) {
    const line = lines.get(keys.slice(0, length).join('\0'));
    if (line !== undefined) return line;
  }
  return 1;
}

function offsetOf(event: YamlEvent): number | undefined {
  if (event.type === SCALAR) return event.valueStart;
  return 'start' in event ? event.start : undefined;
}

function lineCounter(text: string): (offset: number) => number {
  const starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}
