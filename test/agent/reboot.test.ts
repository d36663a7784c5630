/**
 * DESIGN 4: a host that restarts during a run. What the run told lay on a tmpfs and is gone; whoever has read it is told
 * the end all the same. A boot is another one where the request's folder names another.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { HostResult } from '../../src/controller/jobs/job.ts';
import { runJob } from '../../src/controller/rollout/run-job.ts';
import { systemClock } from '../../src/util/clock.ts';
import { isAlive } from '../../src/util/proc.ts';
import { editStored } from '../support/edit-stored.ts';
import { agentPlace, NAME } from '../support/real-agent.ts';
import { reboot } from '../support/reboot.ts';
import { tempFolder } from '../support/temp.ts';
import { command, fixture, kick, resume } from './harness.ts';
import { end, host, inARun, lastOf, RESTARTED, runDirOf, waitingPuppet, wrapperEnded } from './rebooted.ts';

test.each([
  ['the very next number', (seen: number) => seen],
  ['a number far above', (seen: number) => seen + 1_000_000],
  ['the beginning', () => 0],
])('after a reboot the end of a run is told to a reader that asks from %s on', async (_what, from) => {
  const { folders, start, agent, run, pid } = await inARun();
  await agent.stop();
  end(pid);
  reboot(folders);
  const after = from(lastOf(run));
  const resumed = await resume(await start(), run.job, after);
  expect(await resumed.finished).toMatchObject(RESTARTED);
  expect(lastOf(resumed)).toBeGreaterThan(after);
});

test('after a reboot a request that waited is served, and its end is told as well', async () => {
  const gate = join(tempFolder(), 'gate');
  const { folders, start, agent, run, pid } = await inARun(
    command('until-file', join(tempFolder(), 'j'), gate),
  );
  const waiting = await kick(agent);
  await waiting.until('waiting');
  await agent.stop();
  end(pid);
  reboot(folders);
  writeFileSync(gate, '');
  const next = await start();
  expect(await (await resume(next, run.job, lastOf(run))).finished).toMatchObject(RESTARTED);
  const resumed = await resume(next, waiting.job, lastOf(waiting));
  expect(await resumed.finished).toMatchObject({ outcome: 'changed' });
  expect(resumed.events.map(({ type }) => type)).toEqual(expect.arrayContaining(['started', 'log']));
});

test('after a reboot requests of one run are all told its end', async () => {
  const gate = join(tempFolder(), 'gate');
  const { start, folders } = host(command('until-taken', join(tempFolder(), 'j'), gate));
  const agent = await start();
  const first = await kick(agent);
  await first.until('started');
  const both = [await kick(agent), await kick(agent)];
  for (const one of both) await one.until('waiting');
  writeFileSync(gate, '');
  const pids = await Promise.all(both.map(async (one) => (await one.until('started')).pid));
  expect(pids[0]).toBe(pids[1]);
  await agent.stop();
  end(pids[0] ?? 0);
  reboot(folders);
  const next = await start();
  for (const one of both) {
    expect(await (await resume(next, one.job, lastOf(one))).finished).toMatchObject(RESTARTED);
  }
  expect(await (await resume(next, first.job, lastOf(first))).finished).toMatchObject({ outcome: 'changed' });
});

test('after a reboot a run whose exit only the tmpfs knew is interrupted, or what its report says', async () => {
  const gate = join(tempFolder(), 'gate');
  const { folders, start, agent, run } = await inARun(command('until-file', join(tempFolder(), 'j'), gate));
  await agent.stop();
  writeFileSync(gate, '');
  await wrapperEnded(folders);
  expect(existsSync(join(runDirOf(folders), 'exit'))).toBe(true);
  reboot(folders);
  expect(await (await resume(await start(), run.job, lastOf(run))).finished).toMatchObject(RESTARTED);
});

test.each([
  ['2 changed true', { outcome: 'changed' }],
  ['4 failed true', { outcome: 'failed', message: 'its report says that it failed, and no log says why' }],
  ['1 failed false', RESTARTED],
  ['2 changed true job_id=another', RESTARTED],
])('after a reboot a run that left the report "%s" is what that says', async (script, expected) => {
  const folder = tempFolder();
  const { runner, go, report } = waitingPuppet(folder, script);
  const { folders, start, agent, run } = await inARun(runner);
  await agent.stop();
  go();
  await wrapperEnded(folders);
  expect(readFileSync(report, 'utf8')).toContain('status');
  reboot(folders);
  expect(await (await resume(await start(), run.job, lastOf(run))).finished).toMatchObject(expected);
});

test('a run folder that outlives the reboot has lost the end of its events: the end is told all the same', async () => {
  const { folders, start, agent, run, pid } = await inARun();
  await agent.stop();
  end(pid);
  const dir = runDirOf(folders);
  editStored(join(dir, 'record.json'), { boot: 'another boot' });
  // What a power cut may leave: a block of zeros where the latest lines were.
  writeFileSync(join(dir, 'events.ndjson'), Buffer.alloc(4096));
  expect(await (await resume(await start(), run.job, lastOf(run))).finished).toMatchObject(RESTARTED);
});

test("a power cut that damages a request's own events costs no agent its start, and no request its end", async () => {
  const gate = join(tempFolder(), 'gate');
  const { folders, start, agent, pid } = await inARun(command('until-file', join(tempFolder(), 'j'), gate));
  const waiting = await kick(agent);
  await waiting.until('waiting');
  await agent.stop();
  end(pid);
  reboot(folders);
  const [name = ''] = readdirSync(join(folders.stateDir, 'requests')).filter((one) =>
    one.startsWith(waiting.job),
  );
  const events = join(folders.stateDir, 'requests', name, 'events.ndjson');
  const [first] = readFileSync(events, 'utf8').split('\n');
  writeFileSync(events, Buffer.concat([Buffer.from(`${first}\n`), Buffer.alloc(512), Buffer.from('\n')]));
  writeFileSync(gate, '');
  const finished = await (await resume(await start(), waiting.job, lastOf(waiting))).finished;
  expect(finished).toMatchObject({ outcome: 'changed' });
});

test.each(['TERM', 'KILL'])(
  'a run that shuts its host down by %s is interrupted to the controller',
  async (how) => {
    const folder = tempFolder();
    const file = join(folder, 'agent.pid');
    const place = await agentPlace(folder, [fixture('shuts-down'), file, how]);
    const first = await place.start();
    const [begun, isBegun] = promise<void>();
    const { job } = await place.request();
    const done = runJob(
      {
        ...{ id: job, controller: place.controller.certname, action: { op: 'run' }, concurrency: 1 },
        by: { user: 'tester', uid: 0, host: 'here' },
        targets: [first.target],
      },
      {
        caller: async () => ({ sender: place.sender, identity: place.controller }),
        ...{ clock: systemClock, lostAfterMs: 60_000 },
        signal: new AbortController().signal,
        emit(event) {
          if (event.type !== 'host-event' || event.event.type !== 'log') return;
          if (event.event.lines.some(({ message }) => message === 'ready')) isBegun();
        },
      },
    );
    await begun;
    const gone = new Promise((resolve) => first.process.once('exit', resolve));
    writeFileSync(file, `${first.process.pid}\n`);
    await gone;
    const live = join(place.runDir, 'runs');
    const [run = ''] = existsSync(live) ? readdirSync(live) : [];
    const { wrapper } = run === '' ? {} : JSON.parse(readFileSync(join(live, run, 'record.json'), 'utf8'));
    await expect.poll(() => wrapper === undefined || !isAlive(wrapper)).toBe(true);
    reboot(place);
    const second = await place.start();
    const { results } = await done;
    expect(results).toMatchObject([{ certname: NAME, outcome: 'interrupted' } satisfies Partial<HostResult>]);
    await second.kill('SIGTERM');
  },
);

function promise<T>(): [Promise<T>, (value: T) => void] {
  let resolve: (value: T) => void = () => {};
  return [new Promise<T>((done) => (resolve = done)), (value) => resolve(value)];
}
