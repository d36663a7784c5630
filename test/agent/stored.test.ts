/**
 * DESIGN 8, "What is kept": every file that an agent of 0.1 has stored is readable for ever, what we write has a version,
 * and what a newer version wrote, or somebody else has broken, is left alone and said. `test/fixtures/stored/agent` was
 * written by 0.1 and never changes.
 */
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openRequestStore } from '../../src/agent/requests/request-store.ts';
import { allEvents } from '../../src/agent/runs/all-events.ts';
import { openRunStore } from '../../src/agent/runs/run-store.ts';
import type { Log } from '../../src/util/log.ts';
import { silentLog } from '../../src/util/log.ts';
import { quarantined } from '../../src/util/quarantine.ts';
import { readStored, storedText } from '../../src/util/stored-json.ts';
import { tempFolder } from '../support/temp.ts';
import { clockFromNow, command, kick, peerOf, refusalOf, requestOf, resume, startAgent } from './harness.ts';

const OLD = fileURLToPath(new URL('../fixtures/stored/agent', import.meta.url));

const job = (name: string) => name.slice(0, 36);
const SERVED = '01a21c05-8c6e-7b10-abe4-69d5a5a7e610.1.e95e690f1476e70b';
const SHARING = ['8d67-7cda-bef8-78e2e4bddbfc', '8d9c-7cb5-b3a8-3013ae5ec83c'];
const BUSY = '01a21c05-8df0-7548-b005-cb6f3303a12f.1.e95e690f1476e70b';
const CANCELLED = '01a21c05-9149-72f8-927d-b769dc40e930.1.e95e690f1476e70b';
const RUNNING = '01a21c05-943c-7c33-b976-e724bba4336e.1.e95e690f1476e70b';
const WAITING = '01a21c05-94f7-71b4-8935-7076f32b8147.1.e95e690f1476e70b';
const GONE = '01a11c05-8c6e-7b10-abe4-69d5a5a7e610.1.e95e690f1476e70b';
/** Of the one that waits; milliseconds since 1970. */
const ACCEPTED_AT = 1_795_766_457_600;
const LIVE_RUN = '01a21c05-9489-7965-9e96-935d3ff91865';

/** The folders of an agent of 0.1 whose host has restarted during a run. */
function oldAgent() {
  const folder = tempFolder();
  cpSync(OLD, folder, { recursive: true });
  for (const path of ['', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })])
    chmodSync(join(folder, path), 0o700);
  const logged: { fields: object; message: string }[] = [];
  const note = (fields: object, message: string) => {
    if ('path' in fields) logged.push({ fields, message });
  };
  const log: Log = { ...silentLog, error: note, warn: note };
  // Its clock is that of the moment at which the last request was accepted.
  const clock = clockFromNow();
  clock.forward(ACCEPTED_AT + 1000 - Date.now());
  const start = () =>
    startAgent(folder, { runner: command('ok'), clock, log, metricsFile: join(folder, 'm.prom') });
  const at = (...path: string[]) => join(folder, 'state', ...path);
  return { folder, at, logged, clock, start };
}

const edit = (path: string, changes: object) =>
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...changes }));

test('what an agent of 0.1 has stored is read: outcomes, a run that was lost, a request that waits, a key', async () => {
  const { at, logged, start } = oldAgent();
  const agent = await start();
  const outcome = async (name: string) => (await (await resume(agent, job(name))).finished).outcome;
  expect(await outcome(SERVED)).toBe('changed');
  for (const name of SHARING) expect(await outcome(`01a21c05-${name}`)).toBe('changed');
  expect(await outcome(BUSY)).toBe('busy');
  expect(await outcome(CANCELLED)).toBe('cancelled');
  expect(await outcome(RUNNING)).toBe('timed-out');
  expect(await outcome(WAITING)).toBe('unchanged');
  expect(await refusalOf(agent.events({ job: job(GONE), after: 0 }, peerOf()))).toBe('gone');
  const served = (await resume(agent, job(SERVED))).events;
  await expect
    .poll(() => served.map(({ type }) => type))
    .toEqual(['accepted', 'started', 'log', 'resources', 'finished']);
  await agent.stop();
  expect(logged).toEqual([]);
  expect(JSON.parse(readFileSync(at('agent-metrics.json'), 'utf8'))).toMatchObject({
    v: 1,
    runs: { changed: 2, cancelled: 1 },
  });
});

test('each file of 0.1 says what it said', async () => {
  const { folder, at } = oldAgent();
  const requests = openRequestStore(at('requests'));
  const runs = openRunStore(join(folder, 'run', 'runs'), at('runs'));
  expect((await requests.list()).sort()).toHaveLength(8);
  expect(await requests.read(SERVED)).toMatchObject({
    acceptedAt: 1795766455419,
    request: { action: { tags: ['profile::web'], debug: true }, queue: { wait: 3600 } },
  });
  expect(await requests.read(GONE)).toBe('gone');
  expect(
    await requests.assignment(SHARING.map((name) => `01a21c05-${name}.1.e95e690f1476e70b`)[1] ?? ''),
  ).toEqual({
    run: '01a21c05-8eff-7195-8b3a-cde6ed17b5cc',
    boot: '5f0b7c1e-2f5a-4d0e-9b7e-0f3a6c1d2e4b',
    base: 2,
  });
  expect(await runs.record(LIVE_RUN)).toMatchObject({
    run: LIVE_RUN,
    timeLimitMs: 600_000,
    puppet: { site: { inOptions: ['noop'] } },
    wrapper: { pid: 13694, start: '624940' },
  });
  expect(await runs.intention(LIVE_RUN)).toEqual({ outcome: 'timed-out', message: 'it ran longer than 10m' });
  const events = await allEvents((offset) => runs.events('01a21c05-8eff-7195-8b3a-cde6ed17b5cc', offset));
  expect(events.map(({ type }) => type)).toEqual(['started', 'log', 'resources', 'finished']);
  expect(events[1]).toMatchObject({ read: { output: 39 }, at: 1795766456354 });
});

test('what is written now has a version', async () => {
  const folder = tempFolder();
  const agent = await startAgent(folder, { runner: command('ok'), metricsFile: join(folder, 'm.prom') });
  agent.setPull({ runinterval: 3_600_000, splay: false, catalog: 'new', noop: false });
  const { finished } = await kick(agent);
  await finished;
  await agent.stop();
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.json'),
  );
  const versions = files.map((path) => JSON.parse(readFileSync(join(folder, path), 'utf8')).v);
  expect(files.map((path) => path.split('/').at(-1)).sort()).toEqual([
    'agent-metrics.json',
    'record.json',
    'request.json',
    'run.json',
    'schedule.json',
    'store.json',
  ]);
  expect(versions).toEqual(files.map(() => 1));
});

test.each([
  ['of a newer version', { v: 2 }],
  ['with a version that is no number', { v: '1' }],
  [
    'with numbers out of every bound',
    { acceptedAt: 1e300, base: -1, createdAt: 1e300, lastAt: -1e300, runs: { changed: 1e300 } },
  ],
  ['of another shape', { request: 'none', run: 5, lastAt: 'x', createdAt: 'x', runs: 'none', outcome: 'x' }],
])('files %s stop no agent, start no run again, and are said', async (_what, changes) => {
  const { folder, at, logged, start } = oldAgent();
  const live = (name: string) => join(folder, 'run', 'runs', LIVE_RUN, name);
  const broken = [
    at('requests', SERVED, 'request.json'),
    at('requests', RUNNING, 'run.json'),
    live('record.json'),
    at('agent-metrics.json'),
    at('schedule.json'),
    at('store.json'),
  ];
  for (const path of broken) edit(path, changes);
  const agent = await start();
  const isNewer = 'v' in changes && changes.v === 2;
  const damaged = { outcome: 'failed', message: expect.stringContaining('the record is damaged') };
  const said = { ...damaged, message: expect.stringMatching(isNewer ? /a newer version/ : /request\.json/) };
  expect(await (await resume(agent, job(SERVED))).finished).toMatchObject(said);
  const again = requestOf({ job: job(SERVED), action: { op: 'run', tags: ['profile::web'], debug: true } });
  expect(await (await kick(agent, again)).finished).toMatchObject(said);
  expect(await (await resume(agent, job(RUNNING))).finished).toMatchObject(damaged);
  expect((await (await resume(agent, job(WAITING))).finished).outcome).toBe('unchanged');
  await agent.stop();
  expect(existsSync(at('requests', SERVED, 'request.json'))).toBe(isNewer);
  const aside = [...(await quarantined(at())), ...(await quarantined(join(folder, 'run')))];
  const left = isNewer ? [] : [`requests.${SERVED}`];
  expect(aside.sort()).toEqual(
    [
      ...left,
      `requests.${RUNNING}.run.json`,
      `runs.${LIVE_RUN}.record.json`,
      `runs.${LIVE_RUN}`,
      ...['agent-metrics.json', 'schedule.json', 'store.json'],
    ].sort(),
  );
  for (const path of broken) expect(JSON.stringify(logged)).toContain(path.replace(/\/request.json$/, ''));
});

test('a request in the folder of another is no request, and a line that is no event keeps its number', async () => {
  const { at, logged, start } = oldAgent();
  writeFileSync(at('requests', BUSY, 'request.json'), readFileSync(at('requests', WAITING, 'request.json')));
  const events = at('runs', '01a21c05-8c87-75cb-9b91-502504b73e18', 'events.ndjson');
  const lines = readFileSync(events, 'utf8').split('\n');
  writeFileSync(events, [lines[0], '{"type":"a later one"}', 'no JSON', lines[3], ''].join('\n'));
  const agent = await start();
  expect(await (await resume(agent, job(BUSY))).finished).toMatchObject({
    outcome: 'failed',
    message: expect.stringMatching(/the record is damaged: .* it is the request .* says "busy"/),
  });
  const served = await resume(agent, job(SERVED));
  expect(await served.finished).toMatchObject({ outcome: 'changed', seq: 5 });
  expect(served.events.map(({ type }) => type)).toEqual([
    'accepted',
    'started',
    'dropped',
    'dropped',
    'finished',
  ]);
  await agent.stop();
  expect(logged.map(({ message }) => message).sort()).toEqual([
    'cannot be used, and is set aside',
    'damaged lines are passed over',
  ]);
});

test('readStored reads what storedText wrote, and refuses what is too long or no file', async () => {
  const folder = tempFolder();
  const v = await import('valibot');
  const format = { schema: v.object({ a: v.number() }), version: 3, maxBytes: 50 };
  const path = join(folder, 'x.json');
  expect(await readStored(path, format)).toBeUndefined();
  writeFileSync(path, storedText({ a: 1 }, format));
  expect(await readStored(path, format)).toEqual({ a: 1 });
  writeFileSync(path, '{"v":4,"a":1}');
  await expect(readStored(path, format)).rejects.toMatchObject({ isNewer: true });
  writeFileSync(path, `{"a":${'1'.repeat(50)}}`);
  await expect(readStored(path, format)).rejects.toThrow('longer than 50 bytes');
  await expect(readStored(folder, format)).rejects.toThrow('it is a directory');
});

test('a request whose wait was over while no agent was running is busy, and is not run', async () => {
  const { at, start, clock } = oldAgent();
  clock.forward(3_600_000);
  const agent = await start();
  expect(await (await resume(agent, job(WAITING))).finished).toMatchObject({
    outcome: 'busy',
    message: expect.stringContaining('no run has started'),
  });
  expect(existsSync(at('requests', WAITING, 'run.json'))).toBe(false);
});

test('a key that was retired is gone, whatever a kill has left of its folder', async () => {
  const { at, start } = oldAgent();
  const requests = openRequestStore(at('requests'));
  const kept = readFileSync(at('requests', SERVED, 'request.json'), 'utf8');
  await requests.retire(SERVED);
  mkdirSync(at('requests', SERVED));
  writeFileSync(at('requests', SERVED, 'request.json'), kept);
  mkdirSync(at('requests', '.tmp-half-removed'));
  const agent = await start();
  expect(await refusalOf(agent.events({ job: job(SERVED), after: 0 }, peerOf()))).toBe('gone');
  expect(existsSync(at('requests', '.tmp-half-removed'))).toBe(false);
});
