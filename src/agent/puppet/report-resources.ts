/**
 * Which resources a run found not as they should be, from Puppet's report: Ruby-tagged YAML of up to
 * many MB. It is read line by line, and of each resource only the few lines that tell of a change
 * are parsed, so that neither its size nor what else stands in it matters.
 */
import * as v from 'valibot';
import { MAX_EVENT_BYTES, type ResourceChange, type ResourceEvent } from '../../protocol/event.ts';
import { clip } from '../../util/text.ts';
import type { ResourcesEvent } from '../runners/runner.ts';
import { MAX_LINE, reportLines } from './report-lines.ts';

/** Resources, and bytes of all of them as JSON, that a run tells at the most. */
const MAX_RESOURCES = 500;
const MAX_BYTES = 256 * 1024;
/** Of one resource. */
const MAX_LINES = 2000;
const MAX_EVENTS = 20;

/** The events that tell them, failed ones first; none for a report without any, or no report. Never throws for its content. */
export async function resourcesOf(path: string): Promise<ResourcesEvent[]> {
  const failed: ResourceChange[] = [];
  const others: ResourceChange[] = [];
  let more = 0;
  for await (const block of changedBlocks(path)) {
    const isFull = (block.isFailed ? failed : others).length >= MAX_RESOURCES;
    const resource = isFull ? undefined : await parseBlock(block);
    if (resource === undefined) more += isFull ? 1 : 0;
    else (resource.status === 'failed' ? failed : others).push(resource);
  }
  return intoEvents([...failed, ...others], more);
}

/** As many as fit, in events that are not too long. */
function intoEvents(resources: readonly ResourceChange[], left: number): ResourcesEvent[] {
  const events: ResourcesEvent[] = [];
  let current: ResourceChange[] = [];
  let [bytes, total, told] = [0, 0, 0];
  for (const resource of resources.slice(0, MAX_RESOURCES)) {
    const size = Buffer.byteLength(JSON.stringify(resource)) + 1;
    if (total + size > MAX_BYTES) break;
    if (bytes + size > MAX_EVENT_BYTES / 2) {
      events.push({ type: 'resources', resources: current });
      [current, bytes] = [[], 0];
    }
    current.push(resource);
    bytes += size;
    total += size;
    told += 1;
  }
  const more = left + resources.length - told;
  if (current.length > 0 || more > 0) {
    events.push({ type: 'resources', resources: current, ...(more > 0 && { more }) });
  }
  return events;
}

// ---------------------------------------------------------------- lines

interface Block {
  /** As they stand in the report: what is wanted of the resource. */
  lines: string[];
  isFailed: boolean;
}

const WANTED: ReadonlySet<string> = new Set([
  ...['resource', 'file', 'line', 'failed', 'failed_to_restart', 'changed', 'out_of_sync'],
  ...['corrective_change', 'events'],
]);

/** `a` to `z` or `_`; told by the code, for it is asked of every line. */
function beginsKey(line: string, at: number): boolean {
  const code = line.charCodeAt(at);
  return (code >= 0x61 && code <= 0x7a) || code === 0x5f;
}

/** The resources of `resource_statuses:` that are worth a parse. */
async function* changedBlocks(path: string): AsyncGenerator<Block> {
  let isInside = false;
  let lines: string[] = [];
  let key = '';
  const finish = (): Block | undefined => {
    const taken = lines;
    [lines, key] = [[], ''];
    const isTrue = (name: string) => taken.includes(`    ${name}: true`);
    const isFailed = isTrue('failed') || isTrue('failed_to_restart');
    if (!isFailed && !isTrue('changed') && !isTrue('out_of_sync')) return undefined;
    return { lines: taken, isFailed };
  };
  for await (const group of reportLines(path, 'utf8')) {
    for (const line of group) {
      let ended: Block | undefined;
      if (beginsKey(line, 0)) {
        ended = finish();
        isInside = line.startsWith('resource_statuses:');
      } else if (isInside) {
        // A long name is written as `  ? name` and `  : title: …`.
        const normal = line.startsWith('  : ') ? `    ${line.slice(4)}` : line;
        if (/^ {2}[^ :]/.test(normal)) ended = finish();
        else take(normal);
      }
      if (ended !== undefined) yield ended;
    }
  }
  const ended = finish();
  if (ended !== undefined) yield ended;

  function take(line: string): void {
    const colon = line.startsWith('    ') && beginsKey(line, 4) ? line.indexOf(':') : -1;
    if (colon !== -1) key = line.slice(4, colon);
    const isWanted =
      colon !== -1 ? WANTED.has(key) : key === 'events' || (key === 'resource' && line.startsWith('      '));
    if (isWanted && lines.length < MAX_LINES) lines.push(line);
  }
}

/** A document of its own. */
function yamlOf(lines: readonly string[]): string {
  return lines.map((line) => plain(line.slice(0, MAX_LINE))).join('\n');
}

/**
 * Four columns to the left, without tags and anchors; what is only referred to (`*1`) stands elsewhere
 * and is left out.
 */
function plain(line: string): string {
  return line
    .slice(4)
    .replace(/^( *(?:- )*(?:[a-z_]+: +)?)[!&][^ "']+(?: [!&][^ "']+)*(?= |$)/, '$1')
    .replace(/^(\s*(?:- )*(?:[a-z_]+:)) \*\S+$/, '$1');
}

// ---------------------------------------------------------------- one resource

const scalar = v.nullish(
  v.union([v.string(), v.number(), v.boolean(), v.array(v.unknown()), v.record(v.string(), v.unknown())]),
);

const EventSchema = v.object({
  property: scalar,
  previous_value: scalar,
  desired_value: scalar,
  message: scalar,
  status: v.picklist(['success', 'failure', 'noop', 'audit']),
});

const BlockSchema = v.object({
  resource: v.string(),
  file: v.nullish(v.string()),
  line: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(0))),
  failed: v.nullish(v.boolean(), false),
  failed_to_restart: v.nullish(v.boolean(), false),
  changed: v.nullish(v.boolean(), false),
  corrective_change: v.nullish(v.boolean()),
  events: v.nullish(v.array(v.unknown()), []),
});

/** Undefined for what is no change, or cannot be read. */
async function parseBlock({ lines }: Block): Promise<ResourceChange | undefined> {
  const parsed = v.safeParse(BlockSchema, await parseYaml(yamlOf(lines)));
  if (!parsed.success) return undefined;
  const { resource, file, line, failed, failed_to_restart, changed, corrective_change, events } =
    parsed.output;
  const told = events.flatMap((one) => {
    const event = v.safeParse(EventSchema, one);
    return event.success && event.output.status !== 'audit' ? [eventOf(event.output)] : [];
  });
  const isPending = told.some(({ status }) => status === 'noop');
  const status =
    failed || failed_to_restart ? 'failed' : changed ? 'changed' : isPending ? 'pending' : undefined;
  if (status === undefined) return undefined;
  return {
    resource: clip(resource, 512),
    status,
    ...(corrective_change === true && { corrective: true }),
    ...(typeof file === 'string' && { file: clip(file, 1024) }),
    ...(typeof line === 'number' && { line }),
    events: told.slice(0, MAX_EVENTS),
  };
}

function eventOf(event: v.InferOutput<typeof EventSchema>): ResourceEvent {
  const { property, previous_value, desired_value, message, status } = event;
  const text = (name: string, value: unknown, max: number) => {
    const shown = shownValue(value);
    return shown === undefined ? {} : { [name]: clip(shown, max) };
  };
  return {
    status,
    ...text('property', property === '' ? undefined : property, 128),
    ...text('old', previous_value, 256),
    ...text('new', desired_value, 256),
    ...text('message', message, 512),
  };
}

function shownValue(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'string') return decodedChecksum(value) ?? value;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Puppet writes some checksums as binary, which is base64 in YAML. */
function decodedChecksum(value: string): string | undefined {
  if (!/^e3[A-Za-z0-9+/=\s]{20,200}$/.test(value)) return undefined;
  const decoded = Buffer.from(value, 'base64').toString('latin1');
  return /^\{[a-z0-9]+\}[0-9a-f]+$/.test(decoded) ? decoded : undefined;
}

async function parseYaml(text: string): Promise<unknown> {
  const { load } = await import('js-yaml');
  try {
    return load(text, { maxAliases: 0, maxDepth: 16 });
  } catch {
    return undefined;
  }
}
