/**
 * DESIGN 4: a host that restarts during a run. What the run told lay on a tmpfs and is gone; whoever has read it is told
 * the end all the same. A boot is another one where the request's folder names another.
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { puppetAgentRunner } from '../../src/agent/runners/puppet-runners.ts';
import type { Runner } from '../../src/agent/runners/runner.ts';
import type { HostResult } from '../../src/controller/jobs/job.ts';
import { runJob } from '../../src/controller/rollout/run-job.ts';
import { systemClock } from '../../src/util/clock.ts';
import { silentLog } from '../../src/util/log.ts';
import { isAlive } from '../../src/util/proc.ts';
import { agentPlace, NAME } from '../support/real-agent.ts';
import { reboot } from '../support/reboot.ts';
import { tempFolder } from '../support/temp.ts';
import {
  command,
  fixture,
  type Kicked,
  kick,
  peerOf,
  refusalOf,
  requestOf,
  resume,
  sealed,
  startAgent,
} from './harness.ts';

const RESTARTED = { outcome: 'interrupted', message: 'the host was restarted during the run' };

/** The folder of the only run in progress; empty when there is none. */
function runDirOf({ runDir }: { runDir: string }): string {
  const live = join(runDir, 'runs');
  const [run] = readdirSync(live);
  return run === undefined ? '' : join(live, run);
}

/** Without an agent nobody moves the run's folder away. */
async function wrapperEnded(folders: { runDir: string }): Promise<void> {
  const dir = runDirOf(folders);
  if (dir === '') return; // the agent saw its end
  const { wrapper } = JSON.parse(readFileSync(join(dir, 'record.json'), 'utf8'));
  await expect.poll(() => isAlive(wrapper), { timeout: 30_000 }).toBe(false);
}

function end(pid: number): void {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const wrapper = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  process.kill(wrapper, 'SIGKILL');
  process.kill(pid, 'SIGKILL');
}

const lastOf = ({ events }: Kicked) => events.at(-1)?.seq ?? 0;

function host(runner: Runner) {
  const folder = tempFolder();
  const folders = { stateDir: join(folder, 'state'), runDir: join(folder, 'run') };
  return { folder, folders, start: () => startAgent(folder, { runner }) };
}

/** A host of which a reader has seen a whole log. */
async function inARun(runner = command('until-file', join(tempFolder(), 'journal'), '/nonexistent')) {
  const { folders, start } = host(runner);
  const agent = await start();
  const run = await kick(agent);
  const { pid = 0 } = await run.until('started');
  await run.until('log');
  return { folders, start, agent, run, pid };
}

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

/** A Puppet that waits for the file `go`, and then does what `script` says. */
function waitingPuppet(folder: string, script: string): { runner: Runner; go(): void; report: string } {
  const dir = join(folder, 'puppet');
  mkdirSync(dir);
  copyFileSync(fixture('fake-puppet'), join(dir, 'real'));
  const program = `#!/bin/sh\nif [ "$1" = agent ]; then echo begun; while [ ! -e '${dir}/go' ]; do sleep 0.02; done; fi\nexec '${dir}/real' "$@"\n`;
  writeFileSync(join(dir, 'puppet'), program);
  for (const name of ['puppet', 'real']) chmodSync(join(dir, name), 0o755);
  writeFileSync(join(dir, 'script'), script);
  writeFileSync(join(dir, 'puppet.conf'), '');
  const runner = puppetAgentRunner({
    ...{ puppet: join(dir, 'puppet'), path: '', stateDir: join(folder, 'state') },
    ...{ runEnvironment: {}, environmentFiles: [], log: silentLog },
  });
  return { runner, go: () => writeFileSync(join(dir, 'go'), ''), report: join(dir, 'last_run_report.yaml') };
}

test.each([
  ['2 changed true', { outcome: 'changed' }],
  ['4 failed true', { outcome: 'failed', message: 'its report says that it failed, and no log tells why' }],
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
  const record = JSON.parse(readFileSync(join(dir, 'record.json'), 'utf8'));
  writeFileSync(join(dir, 'record.json'), JSON.stringify({ ...record, boot: 'another boot' }));
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

// ---------------------------------------------------------------- within one boot

test('the volatile directory is emptied under a run: its reader is told the end, and the next kick runs', async () => {
  const gate = join(tempFolder(), 'gate');
  const { folders, agent, run, pid } = await inARun(command('until-file', join(tempFolder(), 'j'), gate));
  rmSync(folders.runDir, { recursive: true, maxRetries: 20, retryDelay: 20 });
  process.kill(pid, 'SIGKILL');
  expect(await run.finished).toMatchObject({
    outcome: 'interrupted',
    message: expect.stringContaining('has vanished'),
  });
  writeFileSync(gate, '');
  expect(await (await kick(agent)).finished).toMatchObject({ outcome: 'changed' });
});

test('the volatile directory is emptied under a run of Puppet: its report tells', async () => {
  const folder = tempFolder();
  const { runner, go } = waitingPuppet(folder, '2 changed true');
  const { folders, run, agent } = await inARun(runner);
  const late = await resume(agent, run.job, 1_000);
  rmSync(folders.runDir, { recursive: true, maxRetries: 20, retryDelay: 20 });
  go();
  for (const reader of [run, late]) expect(await reader.finished).toMatchObject({ outcome: 'changed' });
});

test('a run whose folder has vanished can still be cancelled', async () => {
  const { folders, agent, run } = await inARun(command('hangs', ''));
  rmSync(folders.runDir, { recursive: true, maxRetries: 20, retryDelay: 20 });
  await agent.command(await sealed(requestOf({ action: { op: 'cancel', job: run.job } })), peerOf());
  expect(await run.finished).toMatchObject({ outcome: 'cancelled' });
});

test('a run folder that vanishes while no agent is there: the end is told to a reader that knows more', async () => {
  const { folders, start, agent, run, pid } = await inARun();
  await agent.stop();
  end(pid);
  rmSync(folders.runDir, { recursive: true, maxRetries: 20, retryDelay: 20 });
  const finished = await (await resume(await start(), run.job, lastOf(run))).finished;
  expect(finished).toMatchObject({
    outcome: 'interrupted',
    message: expect.stringContaining('has vanished'),
  });
});

test('a run whose folder has vanished while no agent was there is followed: no other begins beside it', async () => {
  const folder = tempFolder();
  const { runner, go } = waitingPuppet(folder, '2 changed true\n0 unchanged true');
  const { folders, start, agent, run } = await inARun(runner);
  await agent.stop();
  rmSync(folders.runDir, { recursive: true, maxRetries: 20, retryDelay: 20 });
  const next = await start();
  const late = await kick(next);
  expect((await late.until('waiting')).holder).toMatchObject({ job: run.job });
  go();
  expect(await (await resume(next, run.job, lastOf(run))).finished).toMatchObject({ outcome: 'changed' });
  expect(await late.finished).toMatchObject({ outcome: 'unchanged' });
});

test('a request whose folder vanishes under its run: the stream ends, and then the agent knows nothing of it', async () => {
  const gate = join(tempFolder(), 'gate');
  const { folders, agent, run } = await inARun(command('until-file', join(tempFolder(), 'j'), gate));
  rmSync(join(folders.stateDir, 'requests'), { recursive: true, maxRetries: 20, retryDelay: 20 });
  mkdirSync(join(folders.stateDir, 'requests'), { mode: 0o700 });
  writeFileSync(gate, '');
  await expect(run.finished).rejects.toThrow('the stream ended after');
  expect(await refusalOf(resume(agent, run.job, lastOf(run)))).toBe('unknown-job');
});

// ---------------------------------------------------------------- with real signals, as the controller sees it

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
        ...{ sender: place.sender, identity: place.controller, clock: systemClock, lostAfterMs: 60_000 },
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
