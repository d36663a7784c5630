/** What an agent stores for itself. */
import { createHostFacts } from '../../../src/agent/discovery/host-facts.ts';
import { COUNTERS } from '../../../src/agent/metrics/counters.ts';
import { openDamagedRequests } from '../../../src/agent/requests/damaged-requests.ts';
import { ASSIGNMENT, REQUEST_RECORD } from '../../../src/agent/requests/request-record.ts';
import { openStoreMarker } from '../../../src/agent/requests/store-marker.ts';
import { allEvents } from '../../../src/agent/runs/all-events.ts';
import { eventLine, mendEvents, readOwnEvents } from '../../../src/agent/runs/event-file.ts';
import { INTENTION, RUN_RECORD } from '../../../src/agent/runs/run-record.ts';
import { openMemory } from '../../../src/agent/schedule/memory.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { silentLog as log } from '../../../src/util/log.ts';
import { leaveAlone as quarantine } from '../../../src/util/quarantine.ts';
import { NotAFile } from '../../../src/util/regular-file.ts';
import { type Decoder, isOf, type Sample } from './decoder.ts';
import { fileReader } from './file-reader.ts';
import { ACTION, AT, BY, EVENTS, RUN, RUN_REQUEST, UUID } from './samples.ts';
import { storedFile, storedSamples } from './stored.ts';

const clock = systemClock;
const PROCESS = { pid: 4711, start: '123456' };
const FIRST = { version: 1 };

/** A file that its user reads and takes as it is, or as absent. */
function file(
  name: string,
  about: string,
  values: readonly object[],
  read: (path: string) => unknown,
): Decoder {
  return {
    name,
    about: `${about}: the agent, of its own file`,
    open(folder) {
      const stored = fileReader(folder, 'stored.json');
      return { samples: storedSamples(values, FIRST), decode: (input) => stored.read(input, read) };
    },
  };
}

const events: Decoder = {
  name: 'event-file',
  about: 'the events of a request or a run: the agent, of its own file',
  open(folder) {
    const stored = fileReader(folder, 'events.ndjson');
    const bytes = Buffer.from(EVENTS.map((event) => eventLine(event)).join(''));
    return {
      samples: [{ shape: 'lines', bytes } satisfies Sample],
      decode: (input) =>
        stored.read(input, async (path) => {
          const before = await allEvents((offset) => readOwnEvents(path, offset));
          await mendEvents(path, { hasEvents: true });
          return before;
        }),
      isDeclared: isOf(NotAFile),
      maxBytes: 256 << 10,
      // What is no event is one that says so.
      maxValue: 32 << 20,
    };
  },
};

const damaged: Decoder = {
  name: 'damaged-mark',
  about: 'that a request is damaged: the agent, of its own file',
  open(folder) {
    const stored = fileReader(folder, 'x.damaged');
    const open = () => openDamagedRequests({ folder, quarantine, log, clock, leftOf: async () => undefined });
    return {
      samples: storedSamples([{ why: 'request.json: not JSON', at: AT }], FIRST),
      decode: (input) => stored.read(input, () => open().endOf('x')),
    };
  },
};

const SUMMARY = { sum: 0.85, count: 3 };

export const AGENT_STORE: readonly Decoder[] = [
  storedFile('request-record', 'an accepted request: the agent, of its own file', REQUEST_RECORD, [
    { name: 'x', request: RUN_REQUEST, acceptedAt: AT, boot: UUID, uptime: 5, marked: true },
  ]),
  storedFile('assignment', 'which run serves a request: the agent, of its own file', ASSIGNMENT, [
    { run: RUN, boot: UUID, wrapper: PROCESS, inner: PROCESS, base: 3 },
  ]),
  storedFile('run-record', 'a run in progress: the agent, of its own file', RUN_RECORD, [
    {
      ...{
        run: RUN,
        boot: UUID,
        action: ACTION,
        createdAt: AT,
        timeLimitMs: 5,
        by: BY,
        job: UUID,
        wrapper: PROCESS,
      },
      puppet: {
        ...{ lastRunReport: '/r', runLock: '/l', disabledLock: '/d' },
        site: { environment: 'test', tags: 'a,b', skipTags: '', inOptions: ['tags'] },
      },
    },
  ]),
  storedFile('intention', 'why a run is being ended: the agent, of its own file', INTENTION, [
    { outcome: 'cancelled', message: 'by deploy' },
  ]),
  storedFile('counters', "an agent's counters: the agent, of its own file", COUNTERS, [
    {
      runs: { changed: 2 },
      requests: { busy: 1 },
      refused: {},
      duration: SUMMARY,
      wait: SUMMARY,
      lastSuccess: AT,
    },
  ]),
  file('memory', 'when the last run began', [{ lastAt: AT }], async (path) =>
    (await openMemory(path, { clock, log, quarantine })).past(),
  ),
  file('store-marker', 'since when there is a store', [{ createdAt: AT }], async (path) =>
    (await openStoreMarker(path, { clock, log, quarantine }))(),
  ),
  file('host-facts', "Puppet's facts", [{ at: AT, facts: { os: { family: 'Debian' }, n: [1, 2] } }], (path) =>
    createHostFacts({ path, ask: async () => ({}), clock: { ...clock, now: () => AT }, log }).facts(),
  ),
  damaged,
  events,
];
