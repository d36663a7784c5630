/** What a controller stores for itself. */

import { readFileSync } from 'node:fs';
import { KEPT_METRICS } from '../../../src/controller/job-metrics.ts';
import { JOB_FILE, STOP_ORDER } from '../../../src/controller/jobs/job-file.ts';
import { appendToIndex, readIndex } from '../../../src/controller/jobs/job-index-file.ts';
import { dropTornLine, readEvents } from '../../../src/controller/jobs/job-log.ts';
import { encodeStored } from '../../../src/controller/jobs/job-record.ts';
import { hostEventIn } from '../../../src/controller/jobs/job-schema.ts';
import { firstLease, holderOf } from '../../../src/controller/jobs/lease.ts';
import { thisMachine } from '../../../src/controller/jobs/machine.ts';
import { type Following, follow, outcomeCounts } from '../../../src/controller/jobs/stored-job.ts';
import { KickError } from '../../../src/errors.ts';
import { seal } from '../../../src/protocol/seal.ts';
import { CACHE as SETTINGS } from '../../../src/puppet/settings.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { lockHolder } from '../../../src/util/lock-file.ts';
import { type Decoder, json } from './decoder.ts';
import { fileReader } from './file-reader.ts';
import { fixedCa } from './fixed-ca.ts';
import { AGENT, AT, JOB_EVENTS, JOB_FILE_VALUE, PRINTED_SETTINGS, RUN_REQUEST, UUID } from './samples.ts';
import { storedFile } from './stored.ts';

const jobLog: Decoder = {
  name: 'job-log',
  about: 'the events of a job: the controller, of its own file',
  async open(folder) {
    const file = fileReader(folder, 'events.jsonl');
    const encode = encodeStored();
    const { key, controller } = fixedCa();
    const jws = await seal(RUN_REQUEST, { key, chain: [controller] });
    const signed = { type: 'request-signed', at: AT, certname: AGENT, jws } as const;
    const lines = [...JOB_EVENTS, signed].flatMap(encode);
    return {
      samples: [{ shape: 'lines', bytes: Buffer.from(lines.join('')) }],
      decode: (input) =>
        file.read(input, async (path) => {
          const { events, bad } = await readEvents(path, 0);
          await dropTornLine(path);
          const state: Following = { results: new Map(), asked: new Map(), awaited: new Map(), end: {} };
          for (const event of events) {
            follow(event, state);
            if (event.type === 'host-event') hostEventIn(event);
          }
          return [events, bad, outcomeCounts(state.results.values())];
        }),
      isDeclared: (error) => error instanceof KickError && error.code === 'state',
      maxBytes: 256 << 10,
    };
  },
};

const index: Decoder = {
  name: 'job-index',
  about: 'the list of jobs: the controller, of its own file',
  open(folder) {
    const file = fileReader(folder, 'index.jsonl');
    const summary = {
      id: UUID,
      at: AT,
      by: 'deploy',
      hosts: 3,
      bytes: 100,
      reason: 'why',
      name: 'nightly',
      noop: true,
    };
    appendToIndex(file.path, [
      summary,
      { id: UUID, endedAt: AT, exit: 0, counts: { changed: 3 } },
      { id: UUID, endedAt: null },
    ]);
    return {
      samples: [{ shape: 'lines', bytes: readFileSync(file.path) }],
      decode: (input) => file.read(input, (path) => [readIndex(path), readIndex(path, new Set([UUID]))]),
    };
  },
};

const lease: Decoder = {
  name: 'lease',
  about: 'who runs a job: the controller, of its own file',
  open(folder) {
    const { name, text } = firstLease(thisMachine);
    const file = fileReader(folder, name);
    return {
      samples: [json(JSON.parse(text))],
      decode: (input) => file.read(input, () => holderOf(folder, thisMachine)),
      maxBytes: 8192,
    };
  },
};

const lock: Decoder = {
  name: 'lock-holder',
  about: 'who holds a lock: both sides, of their own file',
  open(folder) {
    const file = fileReader(folder, 'lock.holder');
    const { pid, start, boot } = thisMachine.self();
    return {
      samples: [json({ pid, start, boot, since: AT, folder: '1.2' })],
      decode: (input) => file.read(input, (path) => lockHolder(path.replace(/\.holder$/, ''), systemClock)),
      maxBytes: 8192,
    };
  },
};

const LATEST = { hosts: { changed: 3 }, durationMs: 5, endedAt: AT, exit: 0, succeededAt: AT };

export const CONTROLLER_STORE: readonly Decoder[] = [
  storedFile('job-record', 'a job: the controller, of its own file', JOB_FILE, [JOB_FILE_VALUE]),
  storedFile('stop-order', 'that a job is to stop: the controller, of its own file', STOP_ORDER, [
    { at: AT, by: 'deploy', cancel: true },
  ]),
  storedFile('job-metrics', 'the latest jobs: the controller, of its own file', KEPT_METRICS, [
    { jobs: { nightly: LATEST, '': LATEST } },
  ]),
  storedFile('puppet-settings', "Puppet's settings: both sides, of their own file", SETTINGS, [
    {
      key: 'x',
      printed: PRINTED_SETTINGS,
      answer: { version: '8.10.0', complaint: 'syntax' },
    },
  ]),
  ...[jobLog, index, lease, lock],
];
