/** A clock that is set, by NTP, by hand or by a boot with a wrong one: it ends no run, no wait, and forgets nothing. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createNotifier } from '../../src/agent/requests/notifier.ts';
import { prune } from '../../src/agent/requests/prune.ts';
import { createRequestLog } from '../../src/agent/requests/request-log.ts';
import { ageOfRecord, recordOf, requestName } from '../../src/agent/requests/request-record.ts';
import { openRequestStore, type RequestStore } from '../../src/agent/requests/request-store.ts';
import { openRunStore } from '../../src/agent/runs/run-store.ts';
import type { RunRequest } from '../../src/protocol/request.ts';
import { type Clock, systemClock } from '../../src/util/clock.ts';
import { silentLog } from '../../src/util/log.ts';
import { tempFolder } from '../support/temp.ts';
import { command, kick, requestOf, resume, startAgent } from './harness.ts';

const DAY_MS = 86_400_000;

const setBy = (ms: number): Clock => ({ ...systemClock, now: () => Date.now() + ms });

async function runningAndWaiting() {
  const folder = tempFolder();
  const release = join(folder, 'release');
  const runner = command('until-file', join(folder, 'journal'), release);
  const agent = await startAgent(folder, { runner });
  const running = await kick(agent, requestOf({ action: { op: 'run', runTimeout: 3600 } }));
  await running.until('started');
  const waiting = await kick(agent, requestOf({ queue: { wait: 3600 } }));
  await waiting.until('waiting');
  return { folder, runner, agent, running, waiting, release: () => writeFileSync(release, '') };
}

test.each([
  ['a day forwards', DAY_MS],
  ['a day back', -DAY_MS],
])(
  'an agent that comes back after the clock was set %s: the run goes on, and the wait',
  async (_what, ms) => {
    const { folder, runner, agent, running, waiting, release } = await runningAndWaiting();
    for (const one of [running, waiting]) one.finished.catch(() => {});
    await agent.stop();
    const next = await startAgent(folder, { runner, clock: setBy(ms) });
    const again = await resume(next, waiting.job);
    await again.until('waiting');
    release();
    expect((await (await resume(next, running.job)).finished).outcome).toBe('changed');
    expect((await again.finished).outcome).toBe('changed');
  },
);

test('a clock that is 31 days ahead for a moment lets the agent forget nothing that is not over', async () => {
  const { folder, running, waiting, release } = await runningAndWaiting();
  const at = (...path: string[]) => join(folder, 'state', ...path);
  const requests = openRequestStore(at('requests'));
  const runs = openRunStore(join(folder, 'run', 'runs'), at('runs'), { log: silentLog });
  const clock = setBy(31 * DAY_MS);
  const requestLog = createRequestLog({ requests, runs, notifier: createNotifier(), clock });
  await prune(clock.now(), { requests, requestLog, runsDir: at('runs') });
  release();
  expect((await running.finished).outcome).toBe('changed');
  expect((await waiting.finished).outcome).toBe('changed');
});

test('a boot that begins 31 days ahead lets the agent forget nothing that may still be valid', async () => {
  const folder = tempFolder();
  const at = (...path: string[]) => join(folder, ...path);
  for (const name of ['requests', 'live', 'runs']) mkdirSync(at(name));
  const requests = openRequestStore(at('requests'));
  const runs = openRunStore(at('live'), at('runs'));
  const record = { ...recordOf(requestOf() as RunRequest, systemClock), boot: 'another' };
  await requests.create(record, { type: 'accepted', version: '0.2.0' });
  const clock = setBy(31 * DAY_MS);
  const requestLog = createRequestLog({ requests, runs, notifier: createNotifier(), clock });
  await requestLog.append(record.name, [{ type: 'finished', outcome: 'changed', endedAt: Date.now() }]);
  const pruneAfter = (minutes: number) =>
    prune(clock.now(), {
      ...{ requests, requestLog, runsDir: at('runs') },
      uptime: () => minutes * 60_000,
    });
  await pruneAfter(16);
  expect(await requests.read(record.name)).toMatchObject({ name: record.name });
  await pruneAfter(18);
  expect(await requests.read(record.name)).toBeUndefined();
});

test.each(['retired', 'damaged'])(
  'a clock that is 31 days ahead for a moment: the key of a request that was %s in this boot is known on',
  async (left) => {
    const folder = tempFolder();
    const at = (...path: string[]) => join(folder, ...path);
    for (const name of ['requests', 'live', 'runs']) mkdirSync(at(name));
    const requests = openRequestStore(at('requests'));
    const runs = openRunStore(at('live'), at('runs'));
    const { name, ...record } = recordOf(requestOf() as RunRequest, systemClock);
    const first = { type: 'accepted', version: '0.2.0' } as const;
    await requests.create({ name, ...record }, first);
    if (left === 'retired') await requests.retire(name);
    else {
      writeFileSync(at('requests', name, 'request.json'), '{');
      expect(await requests.read(name)).toBe('damaged');
      rmSync(at('requests', name), { recursive: true }); // as a quarantine does
    }
    const clock = setBy(31 * DAY_MS);
    const requestLog = createRequestLog({ requests, runs, notifier: createNotifier(), clock });
    const deps = { requests, requestLog, runsDir: at('runs'), uptime: () => DAY_MS };
    await prune(clock.now(), deps);
    expect(await requests.create({ name, ...record }, first)).toBe(false);
  },
);

test('what goes wrong with one request keeps no other from being pruned', async () => {
  const folder = tempFolder();
  const agent = await startAgent(folder, { runner: command('ok') });
  const first = await kick(agent);
  await first.finished;
  const { job, finished } = await kick(agent);
  await finished;
  const at = (...path: string[]) => join(folder, 'state', ...path);
  const store = openRequestStore(at('requests'));
  const requests: RequestStore = {
    ...store,
    async retire(name) {
      if (name.startsWith(first.job)) throw new Error('an I/O error');
      await store.retire(name);
    },
  };
  const runs = openRunStore(join(folder, 'run', 'runs'), at('runs'), { log: silentLog });
  const requestLog = createRequestLog({ requests, runs, notifier: createNotifier(), clock: systemClock });
  const limits = { keyAge: DAY_MS, requests: 0, runBytes: 1 << 30 };
  await expect(prune(Date.now(), { requests, requestLog, runsDir: at('runs'), limits })).rejects.toThrow();
  const [kept] = (await requests.list()).filter((name) => name.startsWith(job));
  expect(existsSync(at('requests', `${kept}.gone`))).toBe(true);
});

test("a request's age is the kernel's within a boot, and the clock's after another", () => {
  const request = requestOf() as RunRequest;
  const record = recordOf(request, systemClock);
  expect(record.name).toBe(requestName(request));
  expect(ageOfRecord(record, Date.now() + DAY_MS)).toBeLessThan(DAY_MS / 2);
  expect(ageOfRecord({ ...record, boot: 'another' }, record.acceptedAt + DAY_MS)).toBe(DAY_MS);
  expect(ageOfRecord({ ...record, boot: 'another' }, record.acceptedAt - DAY_MS)).toBe(0);
});
