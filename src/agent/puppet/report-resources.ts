/** The resources that a run found not as they should be, from Puppet's report, as bounded plain data. */
import * as v from 'valibot';
import { MAX_EVENT_BYTES, type ResourceChange, type ResourceEvent } from '../../protocol/event.ts';
import { count, longText } from '../../util/bounds.ts';
import { isScalar, rubyText } from '../../util/ruby-scalar.ts';
import { clip } from '../../util/text.ts';
import type { ResourcesEvent } from '../runners/runner.ts';
import { type Block, changedBlocks } from './report-blocks.ts';
import { parseRubyYaml } from './ruby-yaml.ts';

/** Maximum number of resources that a run reports, and of their bytes as JSON. */
const MAX_RESOURCES = 500;
const MAX_BYTES = 256 * 1024;
/** Per resource. */
const MAX_EVENTS = 20;

/** Returns the events that report them, failed resources first; none if there are none or no report. Never throws for its content. */
export async function resourcesOf(path: string): Promise<ResourcesEvent[]> {
  const failed: ResourceChange[] = [];
  const others: ResourceChange[] = [];
  let more = 0;
  for await (const block of changedBlocks(path)) {
    const list = isFailed(block) ? failed : others;
    const resource = list.length >= MAX_RESOURCES ? 'unread' : await readBlock(block);
    if (resource === 'unread') more += 1;
    else if (resource !== 'unchanged') list.push(resource);
  }
  return intoEvents([...failed, ...others], more);
}

/** Puts as many resources as fit into events of limited length. */
function intoEvents(resources: readonly ResourceChange[], left: number): ResourcesEvent[] {
  const events: ResourcesEvent[] = [];
  let current: ResourceChange[] = [];
  let [bytes, total, count] = [0, 0, 0];
  for (const resource of resources.slice(0, MAX_RESOURCES)) {
    const size = sizeOf(resource);
    if (total + size > MAX_BYTES) break;
    if (bytes + size > MAX_EVENT_BYTES / 2) {
      events.push({ type: 'resources', resources: current });
      [current, bytes] = [[], 0];
    }
    current.push(resource);
    bytes += size;
    total += size;
    count += 1;
  }
  const more = left + resources.length - count;
  if (current.length > 0 || more > 0) {
    events.push({ type: 'resources', resources: current, ...(more > 0 && { more }) });
  }
  return events;
}

// ---------------------------------------------------------------- one resource

const isFailed = ({ flags }: Block) => flags.has('failed') || flags.has('failed_to_restart');

const anything = v.optional(v.unknown());

const EventSchema = v.object({
  property: anything,
  previous_value: anything,
  desired_value: anything,
  message: anything,
  status: v.picklist(['success', 'failure', 'noop', 'audit']),
});

const BlockSchema = v.object({
  resource: longText,
  file: v.fallback(v.nullish(longText), undefined),
  line: v.fallback(v.nullish(count), undefined),
  events: v.fallback(v.array(v.unknown()), []),
});

/** Unreadable events are left out; an unreadable resource counts in `more`. */
async function readBlock(block: Block): Promise<ResourceChange | 'unchanged' | 'unread'> {
  const { head, events, flags } = block;
  const all = v.safeParse(BlockSchema, await parseRubyYaml(`${head}\n${events}`));
  const parsed = all.success ? all : v.safeParse(BlockSchema, await parseRubyYaml(head));
  if (!parsed.success) return 'unread';
  const { resource, file, line } = parsed.output;
  const found = parsed.output.events.flatMap((one) => {
    const event = v.safeParse(EventSchema, one);
    return event.success && event.output.status !== 'audit' ? [eventOf(event.output)] : [];
  });
  const isPending = found.some(({ status }) => status === 'noop') || !all.success;
  const status = isFailed(block) ? 'failed' : flags.has('changed') ? 'changed' : 'pending';
  if (status === 'pending' && !isPending) return 'unchanged';
  return fitting({
    resource: clip(resource, 512),
    status,
    ...(flags.has('corrective_change') && { corrective: true }),
    ...(typeof file === 'string' && file !== '' && { file: clip(file, 1024) }),
    ...(typeof line === 'number' && { line }),
    events: found.slice(0, MAX_EVENTS),
  });
}

/** Drops events until the resource fits into one event of ours. */
function fitting(resource: ResourceChange): ResourceChange {
  const { events } = resource;
  if (events.length === 0 || sizeOf(resource) <= MAX_EVENT_BYTES / 2) return resource;
  return fitting({ ...resource, events: events.slice(0, Math.floor(events.length / 2)) });
}

function sizeOf(resource: ResourceChange): number {
  return Buffer.byteLength(JSON.stringify(resource)) + 1;
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
  return isScalar(value) ? rubyText(value) : JSON.stringify(value, asJson);
}

/** Puppet writes some checksums as binary, that is, base64 in YAML. */
function decodedChecksum(value: string): string | undefined {
  if (!/^e3[A-Za-z0-9+/=\s]{20,200}$/.test(value)) return undefined;
  const decoded = Buffer.from(value, 'base64').toString('latin1');
  return /^\{[a-z0-9]+\}[0-9a-f]+$/.test(decoded) ? decoded : undefined;
}

function asJson(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
