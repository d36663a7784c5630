/**
 * The resources in Puppet's report that were not as they should be, as pieces of YAML. Only the parts that kick reports
 * are kept, so that neither the size of the report nor its other content matters.
 */
import { reportLines } from './report-lines.ts';
import { createProperties, plainBreaks } from './report-properties.ts';

const FLAGS = ['failed', 'failed_to_restart', 'changed', 'out_of_sync', 'corrective_change'] as const;

export interface Block {
  /** A mapping with its name and place. */
  head: string;
  /** The rest of the mapping: `events:`; empty if there are none. */
  events: string;
  /** The flags that are true. */
  flags: ReadonlySet<string>;
}

/** Longer names and messages are cut; the number of events is far more than people read. */
const HEAD_LIMITS = { maxLength: 8192, maxCount: 8 };
const EVENT_LIMITS = { maxLength: 8192, maxCount: 300 };

/** Where a resource's own properties go; others are left out. */
const KEYS: ReadonlyMap<string, 'head' | 'events' | 'flag'> = new Map([
  ...(['resource', 'file', 'line'] as const).map((key) => [key, 'head'] as const),
  ...FLAGS.map((key) => [key, 'flag'] as const),
  ['events', 'events'],
]);
const EVENT: ReadonlySet<string> = new Set([
  ...['property', 'previous_value', 'desired_value', 'message', 'status', 'corrective_change'],
]);

/** Yields the blocks of `resource_statuses:` that are worth parsing. */
export async function* changedBlocks(path: string): AsyncGenerator<Block> {
  const reader = createBlockReader();
  let isInside = false;
  let isName = false;
  for await (const group of reportLines(path, 'utf8')) {
    for (const line of group) {
      let ended: Block | undefined;
      if (beginsKey(line, 0)) {
        ended = reader.finish();
        isInside = line.startsWith('resource_statuses:');
      } else if (isInside) {
        // A long name is written as `  ? name`, possibly over several lines, and `  : title: …`.
        const mark = line.charCodeAt(2);
        if (mark === COLON) {
          isName = false;
          reader.take(`    ${line.slice(4)}`);
        } else if (mark !== SPACE && line.startsWith('  ') && line.length > 2) {
          ended = reader.finish();
          isName = mark === QUESTION;
        } else if (!isName) {
          reader.take(line);
        }
      }
      if (ended !== undefined) yield ended;
    }
  }
  const ended = reader.finish();
  if (ended !== undefined) yield ended;
}

const SPACE = 0x20;
const COLON = 0x3a;
const QUESTION = 0x3f;

/** Whether a character is `a` to `z` or `_`. By char code, since it is called for every line. */
function beginsKey(line: string, at: number): boolean {
  const code = line.charCodeAt(at);
  return (code >= 0x61 && code <= 0x7a) || code === 0x5f;
}

function createBlockReader(): { take(line: string): void; finish(): Block | undefined } {
  const head = createProperties(HEAD_LIMITS);
  const events = createProperties(EVENT_LIMITS);
  let flags = new Set<string>();
  let current: typeof head | undefined;
  let isInEvents = false;

  /** A property of the resource itself, at the fourth column. */
  function property(line: string, key: string): void {
    const kind = KEYS.get(key);
    current?.skip();
    isInEvents = kind === 'events';
    current = isInEvents ? events : kind === 'head' ? head : undefined;
    current?.begin(line);
    if (kind === 'flag' && line.endsWith(': true')) flags.add(key);
  }

  function eventLine(line: string): void {
    const isFirst = line.startsWith('    - ');
    if (isFirst) events.begin(beginsKey(line, 6) ? '    -' : line);
    if ((isFirst || line.startsWith('      ')) && beginsKey(line, 6)) {
      if (EVENT.has(line.slice(6, line.indexOf(':')))) events.begin(`      ${line.slice(6)}`);
      else events.skip();
    } else if (!isFirst) {
      events.add(line);
    }
  }

  return {
    take(line) {
      const colon = line.startsWith('    ') && beginsKey(line, 4) ? line.indexOf(':') : -1;
      if (colon !== -1) property(line, line.slice(4, colon));
      else if (isInEvents) eventLine(line);
      else current?.add(line);
    },
    finish() {
      const [own, listed, found] = [head.take(), events.take(), flags];
      [flags, current, isInEvents] = [new Set<string>(), undefined, false];
      if (!NOT_AS_IT_SHOULD_BE.some((flag) => found.has(flag))) return undefined;
      return { head: textOf(own, 4), events: textOf(listed, 6), flags: found };
    },
  };
}

const NOT_AS_IT_SHOULD_BE: readonly string[] = ['failed', 'failed_to_restart', 'changed', 'out_of_sync'];

function textOf(properties: readonly string[], indent: number): string {
  return properties.map((property) => plainBreaks(property, indent)).join('\n');
}
