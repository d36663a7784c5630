/** What an agent may say in place of each field of an event or an answer. */
import type * as v from 'valibot';
import type { DoctorFacts } from '../../src/protocol/doctor.ts';
import type { Event, Holder, StoredEvent } from '../../src/protocol/event.ts';
import type { RefusalBody } from '../../src/protocol/refusal.ts';
import type { AgentStatus, CommandReply } from '../../src/protocol/status.ts';

const ID = '01900000-0000-7000-8000-000000000003';
const AT = 1_795_000_000_000;

const HOLDER: Required<Holder> = {
  ...{
    pid: 7,
    what: 'puppet agent',
    isRun: true,
    command: 'ruby puppet',
    user: 'root',
    began: AT,
    since: AT,
  },
  ...{ by: 'a@b', job: ID, progressAt: AT, stuck: 'it hangs', next: 'end it' },
};

const ERROR = { message: 'no', source: 'File[/a]', file: '/a.pp', line: 1 };

/** Of each type, with all the fields that there are. */
export const EVENTS: readonly StoredEvent[] = (
  [
    { type: 'accepted', version: '1' },
    { type: 'waiting', holder: HOLDER, until: AT },
    { type: 'started', run: ID, pid: 7, serves: 1 },
    { type: 'log', lines: [{ level: 'notice', ...ERROR }] },
    { type: 'dropped', bytes: 1 },
    {
      type: 'resources',
      resources: [
        {
          ...{ resource: 'File[/a]', status: 'changed', corrective: true, file: '/a.pp', line: 1 },
          events: [{ property: 'content', status: 'success', old: 'a', new: 'b', message: 'changed' }],
        },
      ],
      more: 1,
    },
    {
      ...{ type: 'finished', outcome: 'failed', run: ID, startedAt: AT, endedAt: AT, exit: 1, message: 'no' },
      holder: HOLDER,
      error: ERROR,
      facts: {
        ...{ configurationVersion: '1', codeId: '2', environment: 'production', serverUsed: 'puppet:8140' },
        ...{ noop: false, noopPending: true, correctiveChange: true, drift: 'found', cachedCatalog: 'no' },
        resources: { total: 3, changed: 1, failed: 1, out_of_sync: 1 },
      },
    },
  ] satisfies Event[]
).map((event) => ({ seq: 3, at: AT, ...event }) as StoredEvent);

const DOCTOR: Required<DoctorFacts> = {
  ...{ certificateEnds: AT, crlEnds: AT, staleLock: 'a', puppetError: 'b', puppetComplaint: 'c' },
  ...{ renewalError: 'd', identityError: 'e' },
  authorities: [{ name: 'CA', sha256: 'a'.repeat(64), ends: AT }],
  folders: [{ what: 'run', path: '/run', freeBytes: 1, isTmpfs: false }],
  servers: [{ name: 'puppet', port: 8140, error: 'no' }],
  schedulers: ['cron'],
  damaged: [{ path: '/run/quarantine', count: 2, latest: 'runs.x' }],
  untrusted: [{ what: 'anybody may write /etc', next: 'chmod', isLeftOut: true }],
};

export const STATUS: Required<AgentStatus> = {
  ...{ certname: 'a', version: '1', runner: 'puppet-agent', puppetVersion: '8', time: AT, uptime: 1 },
  ...{ running: HOLDER, waiting: 1, obstacle: 'none', pullOff: 'no', classes: ['a'], doctor: DOCTOR },
  disabled: { reason: 'x', by: 'a@b', since: AT, until: AT },
  lastRun: {
    ...{ status: 'failed', at: AT, noop: true, correctiveChange: true, drift: 'partly', cachedCatalog: 'no' },
    ...{ environment: 'production', settingsEnvironment: 'test', configurationVersion: '1' },
    resources: { total: 3, failed: 1, changed: 1, out_of_sync: 2, corrective_change: 1, skipped: 3 },
    times: { total: 1.5, config_retrieval: 0.5 },
  },
  broker: { server: 'nats1:4222', reason: 'none', reconnects: 1, certificateEnds: 1 },
  pull: { intervalMs: 1, nextAt: AT, catalog: 'new', noop: true },
};

export const REFUSAL: Required<RefusalBody> = {
  ...{ code: 'clock-skew', version: '1', runner: 'x', time: 1 },
  unknown: ['action.noop'],
};
export const REPLY: CommandReply = { result: 'done', message: 'done' };

/** JSON, some of which JSON.stringify does not write. */
const VALUES: readonly string[] = [
  ...['1e300', '-1e300', '1e999', '-1e999', '-1', '-0', '0.5', '9007199254740992', '9007199254740993'],
  ...['8640000000000001', '253402300800000', '-62135596800001', '"nan"', '".inf"', '""', '"5"', 'null'],
  ...[
    'true',
    '[]',
    '{}',
    '[[]]',
    '{"__proto__":{"x":1}}',
    `"${'x'.repeat(60_000)}"`,
    `"${'y'.repeat(70_000)}"`,
  ],
  ...[`"${'\\u0000\\u001b[2J\\u202e'.repeat(100)}"`, `"${'\\ud800'.repeat(300)}"`],
];

export interface Lie {
  /** The field, and what stands there. */
  what: string;
  text: string;
}

/** The example with each of the values in the place of each of its parts, and without it. */
export function liesOf(example: object): Lie[] {
  return placesIn(example).flatMap((place) => [
    { what: `${place.join('.')} missing`, text: JSON.stringify(withValue(example, place, undefined)) },
    ...VALUES.map((value) => ({
      what: `${place.join('.')} ${value.slice(0, 30)}`,
      // As JSON text: JSON.stringify would write null.
      text: JSON.stringify(withValue(example, place, '@here')).replace('"@here"', () => value),
    })),
  ]);
}

type Place = readonly (string | number)[];

/** Every part, those within others as well. */
function placesIn(value: unknown, at: Place = []): Place[] {
  if (typeof value !== 'object' || value === null) return [at];
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  const inside = keys.flatMap((key) =>
    placesIn((value as Record<string | number, unknown>)[key], [...at, key]),
  );
  return at.length === 0 ? inside : [at, ...inside];
}

function withValue(example: object, place: Place, value: unknown): object {
  const copy = structuredClone(example) as Record<string | number, unknown>;
  const parent = place
    .slice(0, -1)
    .reduce<Record<string | number, unknown>>((at, key) => at[key] as Record<string | number, unknown>, copy);
  const last = place.at(-1) ?? '';
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}

/** The fields that a schema has and an example lacks. */
export function missingIn(schema: v.GenericSchema, example: unknown, at = ''): string[] {
  const { wrapped, entries, pipe, item, options } = schema as Partial<{
    wrapped: v.GenericSchema;
    entries: Record<string, v.GenericSchema>;
    pipe: readonly v.GenericSchema[];
    item: v.GenericSchema;
    options: readonly unknown[];
  }>;
  if (wrapped !== undefined) return missingIn(wrapped, example, at);
  const last = pipe?.findLast((one) => 'item' in one);
  if (last !== undefined && last !== schema) return missingIn(last, example, at);
  if (item !== undefined && Array.isArray(example)) return missingIn(item, example[0], `${at}.0`);
  if (schema.type === 'intersect') {
    return (options as v.GenericSchema[]).flatMap((one) => missingIn(one, example, at));
  }
  if (entries === undefined || typeof example !== 'object' || example === null) return [];
  return Object.entries(entries).flatMap(([key, one]) =>
    key in example
      ? missingIn(one, (example as Record<string, unknown>)[key], `${at}.${key}`)
      : [`${at}.${key}`],
  );
}
