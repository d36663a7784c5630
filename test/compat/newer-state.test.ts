/**
 * DESIGN 15: what a later version has stored, found by this one after a downgrade: it is refused, left or set aside, and said.
 * Nothing is destroyed, and nothing that decides who may do what begins anew. Of an agent's files test/agent/stored.test.ts
 * tells as well.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { createHostFacts } from '../../src/agent/discovery/host-facts.ts';
import { createLiveFiles } from '../../src/agent/runs/live-files.ts';
import { KEPT_METRICS, noteJob } from '../../src/controller/job-metrics.ts';
import { openJobStore } from '../../src/controller/jobs/job-store.ts';
import { readServer } from '../../src/enrolment/node-place.ts';
import { messageOf } from '../../src/errors.ts';
import { openAuthority } from '../../src/pki/authority.ts';
import { readIndex } from '../../src/pki/authority-index.ts';
import { systemClock as clock } from '../../src/util/clock.ts';
import type { Log } from '../../src/util/log.ts';
import { openQuarantine, quarantined } from '../../src/util/quarantine.ts';
import { storedText } from '../../src/util/stored-json.ts';
import { openAccounts } from '../../src/web/server/access/accounts.ts';
import { openKnownPlaces } from '../../src/web/server/access/known-places.ts';
import { openSessions } from '../../src/web/server/access/sessions.ts';
import { openTokens } from '../../src/web/server/access/tokens.ts';
import { openIdempotency } from '../../src/web/server/http/idempotency.ts';
import { openMarkers } from '../../src/web/server/jobs/markers.ts';
import { openStoredSchedules } from '../../src/web/server/schedules/stored-schedule.ts';
import { tempFolder } from '../support/temp.ts';

/** As the next version may write it: what it holds is not known. */
const NEWER = storedText({ entries: { of: 'another shape' } }, { version: 2 });

/** A log that keeps what it is told. */
function logHere() {
  const said: string[] = [];
  const note = (fields: object, message: string) => void said.push(`${message} ${JSON.stringify(fields)}`);
  const log: Log = { debug: note, info: note, warn: note, error: note };
  return { log, said: () => said.join('\n') };
}

/** Writes a file of the next version, and returns its path. */
function newer(dir: string, ...path: string[]): string {
  const file = join(dir, ...path);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, NEWER, { mode: 0o600 });
  return file;
}

/** How a promise is refused, with its hint; or what it gives. */
const told = (work: Promise<unknown>) =>
  work.then(
    (value) => JSON.stringify(value),
    (error: unknown) => `${messageOf(error)}\n${(error as { hint?: string }).hint ?? ''}`,
  );

const JOB = '01234567-89ab-7def-8123-456789abcdef';
const wish = { name: 'admin', role: 'admin', limits: {}, password: 'a long password' } as const;

/** Files that nobody may begin anew: each is refused by what reads it and by what would change it. */
const REFUSED: Record<string, [path: string[], use: (dir: string) => Promise<unknown>][]> = {
  'accounts of kick serve': [
    [['accounts.json'], (dir) => openAccounts(dir, clock).list()],
    [['accounts.json'], (dir) => openAccounts(dir, clock).put(wish)],
  ],
  'tokens of kick serve': [[['tokens.json'], (dir) => openTokens(dir, clock).list()]],
  'schedules of kick serve': [
    [['schedules.json'], (dir) => openStoredSchedules(dir, clock).read()],
    [['schedules.json'], (dir) => openStoredSchedules(dir, clock).change(() => [])],
  ],
  'the index of our CA': [
    [['ca', 'index.json'], async (dir) => readIndex(dir)],
    [['ca', 'index.json'], (dir) => openAuthority(dir, { clock }).revoke('web1.example.com')],
  ],
  'who renews certificates': [[['enrolment.json'], (dir) => readServer({ dir })]],
  'a job': [[['jobs', JOB, 'job.json'], (dir) => openJobStore(dir, clock).read(JOB)]],
};

test.each(Object.entries(REFUSED))('%s of a newer version are refused, and left', async (_what, cases) => {
  for (const [path, use] of cases) {
    const dir = tempFolder();
    const file = newer(dir, ...path);
    expect(await told(use(dir))).toMatch(/a newer version of kick wrote it[\s\S]*that version of kick/);
    expect(readFileSync(file, 'utf8')).toBe(NEWER);
  }
});

test('tokens for certificates of a newer version are refused, and left', async () => {
  const dir = tempFolder();
  const authority = openAuthority(dir, { clock });
  await authority.init('kick CA');
  const file = newer(dir, 'ca', 'tokens.json');
  const { openEnrolments } = await import('../../src/pki/enrolments.ts');
  expect(await told(openEnrolments(dir, { clock }).open())).toMatch(
    /a newer version[\s\S]*that version of kick/,
  );
  expect(readFileSync(file, 'utf8')).toBe(NEWER);
});

test('sessions of a newer version are set aside: people sign in again', async () => {
  const [dir, { log, said }] = [tempFolder(), logHere()];
  newer(dir, 'sessions.json');
  await (await openSessions(dir, { clock, log })).begin('admin');
  expect(said()).toMatch(/is set aside.*a newer version of kick wrote it/);
  const [aside = ''] = readdirSync(join(dir, 'quarantine'));
  expect(readFileSync(join(dir, 'quarantine', aside), 'utf8')).toBe(NEWER);
});

test('places of a newer version are left, and said', async () => {
  const [dir, { log, said }] = [tempFolder(), logHere()];
  const file = newer(dir, 'places.json');
  const places = openKnownPlaces(dir, { clock, log });
  expect(await places.isKnown('admin', '192.0.2.1')).toBe(false);
  await places.note('admin', '192.0.2.1');
  expect(said()).toContain('a newer version of kick wrote it');
  expect(readFileSync(file, 'utf8')).toBe(NEWER);
});

test('a job of a newer server that waits is left, and an answer of it begins nothing twice', async () => {
  const [dir, { log }] = [tempFolder(), logHere()];
  const file = newer(dir, 'running', JOB);
  await expect(openMarkers(join(dir, 'running'), log).waiting(JOB)).rejects.toThrow(
    'a newer version of kick',
  );
  expect(readFileSync(file, 'utf8')).toBe(NEWER);
  const keys = join(dir, 'keys');
  const open = () => openIdempotency(keys, { clock, log, isThere: async () => true });
  let begun = 0;
  const ask = async () => (await open()).once({ caller: 'a', key: 'k', request: 'r' }, async () => ++begun);
  await ask();
  const [name = ''] = readdirSync(keys);
  newer(keys, name);
  expect(await told(ask())).toContain('a newer version of kick wrote it');
  expect(begun).toBe(1);
  expect(readFileSync(join(keys, name), 'utf8')).toBe(NEWER);
});

test('an order of a newer version stops the job, and cancels nothing', async () => {
  const dir = tempFolder();
  newer(dir, 'jobs', JOB, 'stop.json');
  expect(await openJobStore(dir, clock).ordered(JOB)).toMatchObject({
    cancel: false,
    by: 'an order of a newer version of kick',
  });
});

test('jobs of a newer version are listed and not run, and their lines of the index skipped', async () => {
  const dir = tempFolder();
  cpSync(join(import.meta.dirname, '..', 'fixtures', 'stored', 'controller'), dir, { recursive: true });
  const index = join(dir, 'jobs', 'index.jsonl');
  const lines = readFileSync(index, 'utf8').trim().split('\n');
  writeFileSync(index, lines.map((line) => `${line.slice(0, -1)},"v":2,"hosts":"many"}\n`).join(''));
  newer(dir, 'jobs', JOB, 'job.json');
  const { findJobs } = await import('../../src/controller/find-jobs.ts');
  const found = await findJobs(openJobStore(dir, clock), {}, 0);
  expect(found.map(({ state }) => state).sort()).toEqual(['damaged', 'died', 'done', 'done']);
  expect(found.filter(({ id }) => id !== JOB).map(({ hosts }) => hosts)).toEqual([3, 3, 3]);
});

test('metrics of a newer version are set aside, and said', async () => {
  const dir = tempFolder();
  const file = newer(dir, 'locks', '.job-metrics.json');
  const warnings: string[] = [];
  const { identity, jobOf } = await import('../controller/scripted.ts');
  const ended = { job: jobOf(['a']), results: [], startedAt: 0, exit: 0, identity };
  const options = { file: join(dir, 'kick.prom'), stateDir: dir, clock };
  await noteJob(ended, { ...options, warn: (text) => void warnings.push(text) });
  expect(warnings.join()).toMatch(/set aside as ".*aside".*a newer version of kick wrote it/);
  expect(readFileSync(`${file}.aside`, 'utf8')).toBe(NEWER);
  expect(JSON.parse(readFileSync(file, 'utf8')).v).toBe(KEPT_METRICS.version);
});

test('the record and the intention of a run of a newer version are set aside, facts asked for anew', async () => {
  const [root, { log, said }] = [tempFolder(), logHere()];
  const limits = { entries: 9, bytes: 1 << 20, fileBytes: 1 << 20 };
  const files = createLiveFiles(join(root, 'runs'), openQuarantine({ root, limits, clock, log }));
  for (const name of ['record.json', 'intention.json']) newer(root, 'runs', JOB, name);
  expect(await files.record(JOB)).toBe('damaged');
  const why = { outcome: 'failed', message: expect.stringMatching(/^the record is damaged: /) };
  for (const _again of [1, 2]) expect(await files.intention(JOB)).toEqual(why);
  expect((await quarantined(root)).sort()).toEqual([`runs.${JOB}.intention.json`, `runs.${JOB}.record.json`]);
  expect(said()).toContain('a newer version of kick wrote it');
  const path = newer(root, 'facts.json');
  const facts = createHostFacts({ path, ask: async () => ({ os: 'x' }), clock, log });
  expect(await facts.facts()).toHaveProperty('why');
  await facts.settled();
  expect(await facts.facts()).toEqual({ facts: { os: 'x' } });
  expect(existsSync(path)).toBe(true);
});
