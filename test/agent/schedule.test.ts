/** Pull mode: the agent begins runs by itself, a kick postpones them, and nothing stops the schedule. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commandRunner } from '../../src/agent/runners/command-runner.ts';
import type { Pull } from '../../src/agent/schedule/pull.ts';
import { pushedNote } from '../../src/agent/schedule/pushed-note.ts';
import { openSchedule, type ScheduleDeps } from '../../src/agent/schedule/schedule.ts';
import type { RunAction } from '../../src/protocol/request.ts';
import { silentLog } from '../../src/util/log.ts';
import { leaveAlone } from '../../src/util/quarantine.ts';
import { tempFolder } from '../support/temp.ts';
import {
  clockFromNow,
  fixture,
  kick,
  peerOf,
  requestOf,
  sealed,
  startAgent,
  type TestClock,
} from './harness.ts';

const FIVE_MINUTES: Pull = { runinterval: 300_000, splay: true, catalog: 'new', noop: false };
const HALF_HOUR: Pull = { runinterval: 1_800_000, splay: true, catalog: 'new', noop: false };

function journalled(folder: string): { journal(): string[]; runner: ReturnType<typeof commandRunner> } {
  const path = join(folder, 'journal');
  const runner = commandRunner({
    argv: [fixture('noted'), path, join(folder, 'alone')],
    runEnvironment: {},
    disabledLock: join(folder, 'agent_disabled.lock'),
  });
  return { runner, journal: () => (existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : []) };
}

/** Time goes on, in steps that are no gap to the schedule (suspension), and it looks after each. */
async function timeGoesOn(clock: TestClock, until: () => boolean): Promise<void> {
  while (!until()) {
    clock.forward(20_000);
    const before = clock.asked();
    await expect.poll(clock.asked).toBeGreaterThan(before + 3);
  }
}

test('an agent in pull mode runs by itself, through the same queue, and tells when next', async () => {
  const folder = tempFolder();
  const { runner, journal } = journalled(folder);
  const told: object[] = [];
  const log = { ...silentLog, info: (fields: object) => void told.push(fields) };
  const clock = clockFromNow();
  const agent = await startAgent(folder, { runner, log, clock, lookEveryMs: 50 });
  agent.setPull(FIVE_MINUTES);
  await timeGoesOn(clock, () => journal().some((line) => line.startsWith('begin ')));
  await expect.poll(journal).toContainEqual(expect.stringMatching(/^end /));
  const { pull, time } = await agent.status(peerOf());
  expect(pull).toMatchObject({ intervalMs: 300_000, catalog: 'new' });
  expect((pull?.nextAt ?? 0) - time).toBeLessThan(450_000);
  expect(told).toContainEqual(
    expect.objectContaining({ audit: 'accepted', by: 'schedule@agent1.example.com' }),
  );
  agent.setPull(undefined);
  expect((await agent.status(peerOf())).pull).toBeUndefined();
});

test('while Puppet is disabled nothing is begun by the schedule', async () => {
  const folder = tempFolder();
  const { runner, journal } = journalled(folder);
  writeFileSync(join(folder, 'agent_disabled.lock'), '');
  const clock = clockFromNow();
  const agent = await startAgent(folder, { runner, clock, lookEveryMs: 20 });
  agent.setPull(FIVE_MINUTES);
  await timeGoesOn(clock, () => existsSync(join(folder, 'state', 'schedule.json')));
  expect(journal()).toEqual([]);
  expect((await agent.status(peerOf())).pull?.nextAt).toBeGreaterThan(0);
});

test('a push is remembered across a restart and postpones the schedule', async () => {
  const folder = tempFolder();
  const { runner } = journalled(folder);
  const first = await startAgent(folder, { runner });
  first.setPull(HALF_HOUR);
  const { startedAt = 0 } = await (await kick(first)).finished;
  const { pull } = await first.status(peerOf());
  await first.stop();
  const second = await startAgent(folder, { runner });
  second.setPull(HALF_HOUR);
  const after = await second.status(peerOf());
  expect(after.pull?.nextAt).toBe(pull?.nextAt);
  expect((after.pull?.nextAt ?? 0) - startedAt).toBeGreaterThan(890_000);
});

/** A schedule alone, with a clock that is set by hand. */
async function alone(pull: Pull, more: Partial<ScheduleDeps> = {}) {
  const begun: RunAction[] = [];
  const errors: object[] = [];
  const time = { now: 1_700_000_000_000 };
  const stateDir = tempFolder();
  const schedule = await openSchedule({
    stateDir,
    clock: { now: () => time.now, monotonic: () => time.now },
    log: { ...silentLog, error: (fields) => void errors.push(fields) },
    quarantine: leaveAlone,
    runinterval: async () => 3_600_000,
    isDisabled: async () => false,
    catalogProblem: async () => undefined,
    begin: async (action) => void begun.push(action),
    ...more,
  });
  schedule.setCertname('web1.example.com');
  schedule.setPull(pull);
  return { schedule, begun, errors, time, stateDir };
}

test("runinterval: puppet is Puppet's own; 0 is refused in the log, once", async () => {
  const own = await alone({ ...HALF_HOUR, runinterval: 'puppet' });
  expect((await own.schedule.status())?.intervalMs).toBe(3_600_000);
  const zero = await alone({ ...HALF_HOUR, runinterval: 'puppet' }, { runinterval: async () => 0 });
  await zero.schedule.look();
  await zero.schedule.look();
  expect(zero.errors).toEqual([{ reason: "Puppet's runinterval is 0" }]);
  expect(await zero.schedule.status()).toBeUndefined();
  expect(await zero.schedule.off()).toBe("Puppet's runinterval is 0");
  expect(await own.schedule.off()).toBeUndefined();
});

test.each([
  ['new', false, { op: 'run' }],
  ['pushed', false, { op: 'run', useCachedCatalog: true }],
  ['pushed', true, { op: 'run', noop: true, useCachedCatalog: true }],
] as const)('catalog: %s, noop: %s asks for %j', async (catalog, noop, action) => {
  const { schedule, begun, time } = await alone({ ...HALF_HOUR, catalog, noop });
  time.now = (await schedule.status())?.nextAt ?? 0;
  await schedule.look();
  expect(begun).toEqual([action]);
  await schedule.look();
  expect(begun).toHaveLength(1);
});

test('only whole runs postpone: no preview, no run of some tags', async () => {
  const { schedule, time } = await alone(HALF_HOUR);
  const before = (await schedule.status())?.nextAt ?? 0;
  time.now = before - 60_000;
  await schedule.onRun({ op: 'run', noop: true });
  await schedule.onRun({ op: 'run', tags: ['ntp'] });
  expect((await schedule.status())?.nextAt).toBe(before);
  await schedule.onRun({ op: 'run' });
  expect((await schedule.status())?.nextAt).toBe(before + 1_800_000);
});

test('asked to run now the next run begins, whatever the time, and the one after it an interval later', async () => {
  const { schedule, begun, time } = await alone(HALF_HOUR);
  time.now = ((await schedule.status())?.nextAt ?? 0) - 60_000;
  await schedule.runNow();
  expect(begun).toEqual([{ op: 'run' }]);
  time.now += 60_000;
  await schedule.look();
  expect(begun).toHaveLength(1);
  schedule.setPull(undefined);
  await schedule.runNow();
  expect(begun).toHaveLength(1);
});

test('catalog: pushed begins nothing where the catalog cannot be used: Puppet would fetch a new one', async () => {
  const place = await alone(
    { ...HALF_HOUR, catalog: 'pushed' },
    { catalogProblem: async () => 'there is none' },
  );
  place.time.now = (await place.schedule.status())?.nextAt ?? 0;
  await place.schedule.look();
  expect(place.begun).toEqual([]);
});

test('a broken memory counts as none, and a run that cannot begin stops no schedule', async () => {
  const { schedule, time, stateDir } = await alone(HALF_HOUR, {
    begin: () => Promise.reject(new Error('no space')),
  });
  time.now = (await schedule.status())?.nextAt ?? 0;
  await schedule.look();
  expect((await schedule.status())?.nextAt).toBe(time.now + 1_800_000);
  writeFileSync(join(stateDir, 'schedule.json'), '{"lastAt":"x"}');
  const again = await alone(HALF_HOUR, { stateDir });
  expect(await again.schedule.status()).toBeDefined();
});

test.each([-1, 1e300, Date.parse('9999-01-01T00:00:00Z')])(
  'a last run at %d postpones no run for longer than an interval',
  async (lastAt) => {
    const stateDir = tempFolder();
    writeFileSync(join(stateDir, 'schedule.json'), JSON.stringify({ lastAt }));
    const { schedule, begun, time } = await alone(HALF_HOUR, { stateDir });
    const nextAt = (await schedule.status())?.nextAt ?? 0;
    expect(nextAt - time.now).toBeLessThanOrEqual(1.5 * 1_800_000);
    // In steps, as a machine that was awake.
    for (; time.now < nextAt + 30_000; time.now += 30_000) await schedule.look();
    expect(begun).toHaveLength(1);
  },
);

test('a kick of some tags says what it does to the cached catalog, where scheduled runs apply that', () => {
  const pushed: Pull = { ...HALF_HOUR, catalog: 'pushed' };
  const changed = { outcome: 'changed' } as const;
  expect(pushedNote(pushed, { op: 'run', tags: ['ntp'] }, changed)).toMatch(
    /scheduled runs will apply all of it/,
  );
  expect(pushedNote(pushed, { op: 'run', tags: ['ntp'], noop: true }, changed)).toBeUndefined();
  expect(pushedNote(pushed, { op: 'run' }, changed)).toBeUndefined();
  expect(pushedNote(HALF_HOUR, { op: 'run', tags: ['ntp'] }, changed)).toBeUndefined();
  for (const verdict of [
    { outcome: 'race-lost', isHeld: true, otherwise: { outcome: 'failed' } },
    { outcome: 'failed' },
    { outcome: 'unchanged', facts: { noop: true } },
  ] as const) {
    expect(pushedNote(pushed, { op: 'run', tags: ['ntp'] }, verdict)).toBeUndefined();
  }
});

test("a scheduled request is nobody's to resume by its name alone", async () => {
  const folder = tempFolder();
  const { runner } = journalled(folder);
  const agent = await startAgent(folder, { runner });
  // Signed by a controller, but said to be of the agent itself: the issuer must be the signer.
  const body = await sealed(requestOf({ iss: 'agent1.example.com' }));
  await expect(agent.submit(body, peerOf())).rejects.toMatchObject({ code: 'issuer' });
});
