/** What kick serve stores for itself. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KickError } from '../../../src/errors.ts';
import { systemClock as clock } from '../../../src/util/clock.ts';
import { silentLog as log } from '../../../src/util/log.ts';
import { StoredProblem } from '../../../src/util/stored-json.ts';
import { openAccounts } from '../../../src/web/server/access/accounts.ts';
import { openKnownPlaces } from '../../../src/web/server/access/known-places.ts';
import { openSessions } from '../../../src/web/server/access/sessions.ts';
import { openTokens } from '../../../src/web/server/access/tokens.ts';
import { openAudit } from '../../../src/web/server/audit.ts';
import { openKeptKeys } from '../../../src/web/server/http/kept-keys.ts';
import { openMarkers } from '../../../src/web/server/jobs/markers.ts';
import { openStoredSchedules } from '../../../src/web/server/schedules/stored-schedule.ts';
import { type Decoder, isKick, isOf, linesSample } from './decoder.ts';
import { fileReader } from './file-reader.ts';
import { AT, JOB_FILE_VALUE, UUID } from './samples.ts';
import { storedSamples } from './stored.ts';
import { SCHEDULE } from './web.ts';

const isState = (error: unknown) => error instanceof KickError && error.code === 'state';

function list(name: string, items: readonly object[], read: (webDir: string) => unknown): Decoder {
  return {
    name,
    about: `${name}.json: kick serve, of its own file`,
    open(folder) {
      const file = fileReader(folder, `${name}.json`);
      return {
        samples: storedSamples([{ items }], { version: 1 }),
        decode: (input) => file.read(input, () => read(folder)),
        isDeclared: isState,
      };
    },
  };
}

const HASH = 'a'.repeat(64);
const LIMITS = { hosts: '@dmz', environments: ['test'], noopOnly: true, maxHosts: 5 };

const audit: Decoder = {
  name: 'audit',
  about: 'audit.jsonl: kick serve, of its own file',
  async open(folder) {
    const file = fileReader(folder, 'audit.jsonl');
    const opened = await openAudit(folder, { clock, log });
    const line = {
      at: '2026-11-28T04:00:00Z',
      who: 'admin',
      via: 'session',
      address: '::1',
      what: 'POST /jobs',
      status: 202,
    };
    return {
      samples: [linesSample([line, { ...line, detail: 'why', job: UUID }])],
      decode: (input) => file.read(input, () => opened.page({ limit: 50 })),
    };
  },
};

const keys: Decoder = {
  name: 'kept-keys',
  about: 'answers to an Idempotency-Key: kick serve, of its own file',
  open(folder) {
    const kept = openKeptKeys(folder, log);
    const value = { at: AT, request: HASH, begins: UUID, answer: { job: UUID } };
    return {
      samples: storedSamples([value], { version: 1 }),
      decode(input) {
        writeFileSync(join(folder, createHash('sha256').update('key').digest('hex')), input);
        return kept.read('key');
      },
      isDeclared: isKick('state'),
    };
  },
};

const marker: Decoder = {
  name: 'job-marker',
  about: 'a job that waits for its lock: kick serve, of its own file',
  open(folder) {
    const file = fileReader(folder, UUID);
    const { job, settings } = JOB_FILE_VALUE;
    const server = { pid: process.pid, start: '1', boot: UUID };
    return {
      samples: storedSamples([{ plan: { job, settings }, lock: 'nightly', until: AT, server }], {
        version: 1,
      }),
      decode: (input) => file.read(input, () => openMarkers(folder, log).waiting(UUID)),
      isDeclared: isOf(StoredProblem),
    };
  },
};

const ACCOUNT = {
  name: 'admin',
  role: 'admin',
  limits: LIMITS,
  password: 'scrypt$x',
  createdAt: AT,
  passwordAt: AT,
};
const TOKEN = {
  id: UUID,
  hash: HASH,
  name: 'ci',
  user: 'admin',
  role: 'viewer',
  limits: LIMITS,
  createdAt: AT,
  endsAt: AT,
  lastUsedAt: AT,
};
const SESSION = { hash: HASH, user: 'admin', createdAt: AT, grant: { role: 'operator', limits: LIMITS } };
const STORED_SCHEDULE = {
  ...{ wish: SCHEDULE, owner: 'admin', limits: [LIMITS], createdAt: AT, doneUntil: AT, waitsFor: UUID },
  history: [{ at: AT, result: 'failed', job: UUID, message: 'why' }],
};

export const WEB_STORE: readonly Decoder[] = [
  list('accounts', [ACCOUNT], (folder) => openAccounts(folder, clock).list()),
  list('tokens', [TOKEN], (folder) => openTokens(folder, clock).list()),
  list('sessions', [SESSION], async (folder) => (await openSessions(folder, { clock, log })).find('x', true)),
  list('places', [{ user: 'admin', place: '::1', at: AT }], (folder) =>
    openKnownPlaces(folder, { clock, log }).isKnown('admin', '::1'),
  ),
  list('schedules', [STORED_SCHEDULE], (folder) => openStoredSchedules(folder, clock).read()),
  ...[audit, keys, marker],
];
