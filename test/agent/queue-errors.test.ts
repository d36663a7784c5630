/** DESIGN 4: every accepted request gets exactly one outcome, whatever goes wrong in the queue itself. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createQueue } from '../../src/agent/queue/queue.ts';
import type { QueueDeps } from '../../src/agent/queue/queue-deps.ts';
import type { RequestRecord } from '../../src/agent/requests/request-record.ts';
import type { Runner } from '../../src/agent/runners/runner.ts';
import { createEndWriter } from '../../src/agent/runs/end-writer.ts';
import { PROCESS_STEPS } from '../../src/agent/runs/run-steps.ts';
import type { FinishedEvent } from '../../src/protocol/event.ts';
import { systemClock } from '../../src/util/clock.ts';
import { silentLog } from '../../src/util/log.ts';
import { deferred } from '../support/deferred.ts';
import { tempFolder } from '../support/temp.ts';
import { command, kick, requestOf, startAgent } from './harness.ts';

/** Fails by an error that nobody has foreseen, for the first `times` times. */
function brittle(times: number, what: 'gate' | 'plan'): Runner {
  let left = times;
  const ok = command('ok');
  const fail = () => {
    if (left-- > 0) throw new TypeError('x is not a function');
  };
  return {
    ...ok,
    async gate(now) {
      if (what === 'gate') fail();
      return ok.gate(now);
    },
    async plan(...args) {
      if (what === 'plan') fail();
      return ok.plan(...args);
    },
  };
}

test.each(['gate', 'plan'] as const)(
  'an unforeseen error of %s is an outcome at once, and the next run is well',
  async (what) => {
    const agent = await startAgent(tempFolder(), { runner: brittle(1, what) });
    expect(await (await kick(agent)).finished).toMatchObject({
      outcome: 'failed',
      message: expect.stringContaining('x is not a function'),
    });
    expect((await (await kick(agent)).finished).outcome).toBe('unchanged');
  },
);

test('a look at Puppet that never ends is an outcome', async () => {
  const runner: Runner = { ...command('ok'), gate: () => new Promise(() => {}) };
  const agent = await startAgent(tempFolder(), { runner, gateMs: 50 });
  expect(await (await kick(agent)).finished).toMatchObject({
    outcome: 'failed',
    message: "kick agent met an error: look at Puppet's settings and locks: no end after 0.05 s",
  });
});

test("a wrapper's step that throws is an outcome", async () => {
  const steps = { ...PROCESS_STEPS, prepare: () => Promise.reject(new Error('no more files')) };
  const agent = await startAgent(tempFolder(), { runner: command('ok'), steps });
  expect(await (await kick(agent)).finished).toMatchObject({
    outcome: 'failed',
    message: 'kick agent met an error: no more files',
  });
});

test('a request whose folder has vanished holds up nobody else', async () => {
  const folder = tempFolder();
  const release = join(folder, 'release');
  const agent = await startAgent(folder, {
    runner: command('until-taken', join(folder, 'journal'), release),
  });
  const first = await kick(agent);
  await first.until('started');
  const lost = await kick(agent, requestOf({ action: { op: 'run', runTimeout: 998 } }));
  await lost.until('waiting');
  const last = await kick(agent, requestOf({ action: { op: 'run', runTimeout: 999 } }));
  await last.until('waiting');
  const requests = join(folder, 'state', 'requests');
  const [mine = ''] = readdirSync(requests).filter((name) => name.startsWith(lost.job));
  rmSync(join(requests, mine), { recursive: true });
  lost.leave();
  writeFileSync(release, '');
  expect((await first.finished).outcome).toBe('changed');
  await last.until('started');
  writeFileSync(release, '');
  expect((await last.finished).outcome).toBe('changed');
});

test('a request is known while its run is being stored with it, and no more once that has failed', async () => {
  const record = { name: 'x', request: requestOf(), acceptedAt: Date.now() } as unknown as RequestRecord;
  const found: (RequestRecord | undefined)[] = [];
  const over = deferred();
  const wrapper = { abandon() {}, ended: Promise.resolve() };
  const queue = createQueue({
    ...{
      log: silentLog,
      clock: systemClock,
      onOutcome() {},
      runner: { gate: async () => ({ state: 'free' }) },
    },
    ...{ steps: { prepare: async () => ({ runRecord: {}, wrapper }) }, runs: { async discard() {} } },
    requestLog: {
      async append() {},
      async assign(name: string) {
        found.push(queue.find(name));
        over.resolve();
        throw new Error('no space');
      },
    },
  } as unknown as QueueDeps);
  queue.add(record);
  await over.promise;
  await queue.close();
  expect([found, queue.find('x')]).toEqual([[record], undefined]);
});

test('an end that cannot be written down is tried again, and told once it is', async () => {
  const record = { name: 'x', request: requestOf(), acceptedAt: 0 } as unknown as RequestRecord;
  const finished: FinishedEvent = { type: 'finished', outcome: 'busy', endedAt: 1 };
  const told: FinishedEvent[] = [];
  let tries = 0;
  const requestLog = {
    async append() {
      tries += 1;
      if (tries < 3) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    },
  };
  const done = new Promise<void>((resolve) => {
    const onOutcome = (_: RequestRecord, end: FinishedEvent) => {
      told.push(end);
      resolve();
    };
    const writer = createEndWriter({ requestLog, log: silentLog, onOutcome, retryMs: 1 });
    void writer.write(record, finished);
  });
  await done;
  expect([tries, told]).toEqual([3, [finished]]);
});
