/** A job has one controller at a time, whoever is stopped, killed or asleep, and no host runs twice. */
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  holderOf,
  LEASE_MS,
  type Lease,
  openLease,
  RENEW_MS,
  takeLease,
} from '../../src/controller/jobs/lease.ts';
import { thisMachine } from '../../src/controller/jobs/machine.ts';
import { bootId, identify } from '../../src/util/proc.ts';
import { tempFolder } from '../support/temp.ts';
import { machineOf } from './machine-of.ts';

test('in any order of events a job has one controller, and no host is asked by two', async () => {
  const which = fc.nat({ max: 5 });
  const commands = fc.array(
    fc.oneof(
      fc.constant({ what: 'begin' as const, which: 0 }),
      ...(['take', 'take', 'step', 'step', 'stop', 'go', 'kill', 'release'] as const).map((what) =>
        fc.record({ what: fc.constant(what), which }),
      ),
      fc.record({ what: fc.constantFrom('pass' as const, 'jump' as const), which: fc.nat({ max: 90_000 }) }),
    ),
    { maxLength: 60 },
  );
  await fc.assert(
    fc.asyncProperty(commands, async (all) => {
      const machine = machineOf(tempFolder());
      machine.begin();
      machine.begin();
      for (const { what, which: number } of all) {
        const pids = machine.pids();
        const pid = pids[number % Math.max(1, pids.length)] ?? 0;
        if (what === 'begin') machine.begin();
        else await machine[what](what === 'pass' || what === 'jump' ? number : pid);
        expect(machine.holders()).toBeLessThanOrEqual(1);
        // Whoever was overtaken sends at most what it had checked before.
        const inTime = machine.sends.filter(({ isLate }) => !isLate).map(({ host }) => host);
        expect(inTime.length).toBe(new Set(inTime).size);
      }
    }),
    { numRuns: 60 },
  );
});

test('a holder that is killed frees its job at once; one that is stopped after its time, and then it has lost it', async () => {
  const folder = tempFolder();
  const machine = machineOf(folder);
  for (let pid = 1; pid <= 3; pid++) machine.begin();
  await machine.take(1);
  expect(machine.watch()).toEqual({ pid: 1 });
  machine.kill(1);
  expect(machine.watch()).toBeUndefined();
  await machine.take(2);
  expect(machine.watch()).toEqual({ pid: 2 });
  machine.step(2);
  machine.stop(2);
  await machine.pass(LEASE_MS);
  expect(machine.watch()).toBeUndefined();
  await machine.take(3);
  expect(machine.watch()).toBeUndefined();
  await machine.pass(2 * RENEW_MS);
  expect(machine.watch()).toEqual({ pid: 3 });
  await machine.go(2);
  expect(machine.holders()).toBe(1);
  machine.step(2); // what it had checked before it was stopped; the agent knows it
  machine.step(2);
  expect(machine.sends).toEqual([{ host: 'a', isLate: true }]);
  await machine.pass(3 * LEASE_MS);
  expect(machine.watch()).toEqual({ pid: 3 });
});

test('a machine that slept loses no job to a second controller, whatever its clock makes of the sleep', async () => {
  const machine = machineOf(tempFolder());
  machine.begin();
  machine.begin();
  await machine.take(1);
  machine.jump(8 * 3_600_000);
  await machine.take(2); // before the holder had a turn
  await machine.pass(LEASE_MS);
  expect(machine.watch()).toEqual({ pid: 1 });
  machine.release(1);
  await machine.take(2);
  expect(machine.watch()).toEqual({ pid: 2 });
});

test('two in one process are two: the second is refused, and gets the job when the first releases it', async () => {
  const folder = tempFolder();
  const all = await Promise.all(Array.from({ length: 5 }, () => takeLease(folder, thisMachine)));
  const [lease, ...more] = all.filter((one): one is Lease => 'lost' in one);
  expect(more).toEqual([]);
  expect(all.filter((one) => 'pid' in one)).toEqual(Array(4).fill({ pid: process.pid }));
  lease?.release();
  expect(lease?.isHeld()).toBe(false);
  expect(holderOf(folder, thisMachine)).toBeUndefined();
  expect(await takeLease(folder, thisMachine)).toHaveProperty('lost');
  expect(readdirSync(folder).sort()).toEqual(['lease.1.json', 'lease.2.json']);
});

test('a holder whose successor is there says so to whoever listens', async () => {
  const folder = tempFolder();
  const lease = await takeLease(folder, thisMachine);
  if (!('lost' in lease)) return expect.unreachable();
  writeFileSync(join(folder, 'lease.2.json'), '{}');
  lease.renew();
  expect(lease.lost.aborted).toBe(true);
});

test('a lease of another boot, of a later version, and one that is damaged', async () => {
  const of = (text: string, mtimeS: number) => {
    const folder = tempFolder();
    const path = join(folder, 'lease.1.json');
    writeFileSync(path, text);
    utimesSync(path, mtimeS, mtimeS);
    return folder;
  };
  const now = thisMachine.monotonicMs() / 1000;
  const self = thisMachine.self();
  const file = (more: object) => JSON.stringify({ v: 1, ...self, token: 't', at: now * 1000, ...more });
  expect(holderOf(of(file({}), now), thisMachine)).toEqual({ pid: process.pid });
  expect(holderOf(of(file({ boot: 'another' }), now), thisMachine)).toBeUndefined();
  expect(holderOf(of(file({ start: '0' }), now), thisMachine)).toBeUndefined();
  // In another container its process cannot be seen: only its time counts.
  expect(holderOf(of(file({ space: 'pid:[1]', start: '0' }), now), thisMachine)).toBeDefined();
  for (const text of [file({ v: 2 }), '', '{"v":1}']) {
    expect(holderOf(of(text, now), thisMachine)).toBeDefined();
    expect(holderOf(of(text, Date.now() / 1000), thisMachine)).toBeUndefined();
    expect(await takeLease(of(text, 0), thisMachine)).toHaveProperty('lost');
  }
});

test('a job of 0.1 is judged by the process in its controller.json', async () => {
  const folder = tempFolder();
  const path = join(folder, 'controller.json');
  const own = { ...identify(process.pid), boot: bootId() };
  writeFileSync(path, JSON.stringify(own));
  expect(holderOf(folder, thisMachine)).toEqual({ pid: process.pid });
  expect(await takeLease(folder, thisMachine)).toEqual({ pid: process.pid });
  writeFileSync(path, JSON.stringify({ ...own, start: '0' }));
  expect(holderOf(folder, thisMachine)).toBeUndefined();
  expect(await takeLease(folder, thisMachine)).toHaveProperty('lost');
});

test('a job whose folder is gone is nobody’s, and its holder goes on', () => {
  const folder = join(tempFolder(), 'job');
  mkdirSync(folder);
  const lease = openLease(folder, thisMachine);
  expect(lease.isHeld()).toBe(true);
  expect(holderOf(join(folder, 'none'), thisMachine)).toBeUndefined();
});
