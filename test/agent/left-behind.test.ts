/** DESIGN 4: what a run has left behind keeps no other from beginning, and a run that lasts does, whatever was killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { keeperOf } from '../../src/agent/runs/run-lock.ts';
import { startWrapper } from '../../src/agent/runs/wrapper.ts';
import { descendants, flockHolders, identify, isAlive, type ProcessId } from '../../src/util/proc.ts';
import { tempFolder } from '../support/temp.ts';
import { command, fixture, kick, peerOf, requestOf, startAgent } from './harness.ts';

const skip = () => requestOf({ queue: { ifRunning: 'skip' } });

/** A pid that a fixture writes down, to be killed at the end of the test. */
async function pidIn(path: string): Promise<ProcessId> {
  await expect.poll(() => existsSync(path)).toBe(true);
  const process = identify(Number(readFileSync(path, 'utf8')));
  if (process === undefined) throw new Error(`nothing has the pid in ${path}`);
  onTestFinished(() => kill(process));
  return process;
}

function kill(one: ProcessId | undefined): void {
  if (one !== undefined && isAlive(one)) process.kill(one.pid, 'SIGKILL');
}

const gone = (one: ProcessId) => expect.poll(() => isAlive(one)).toBe(false);

/** An agent in the middle of a run that has left a process behind. */
async function inARun(how: 'setsid' | 'env') {
  const folder = tempFolder();
  const [pidFile, end] = [join(folder, 'pid'), join(folder, 'end')];
  const agent = await startAgent(folder, { runner: command('leaves-until', how, pidFile, end) });
  const run = await kick(agent);
  const { pid: puppet = 0 } = await run.until('started');
  const left = await pidIn(pidFile);
  const lock = join(folder, 'run', 'run.lock');
  const record = /^\S+ (\d+) (\d+) /.exec(readFileSync(lock, 'latin1'));
  expect(Number(record?.[2])).toBe(puppet);
  const inner = identify(puppet);
  const wrapper = identify(Number(record?.[1]));
  if (inner === undefined || wrapper === undefined) throw new Error('the run is over already');
  const more = await kick(agent, requestOf({ action: { op: 'run', runTimeout: 999 } }));
  await more.until('waiting');
  return { folder, agent, run, left, inner, wrapper, lock, more, end: () => writeFileSync(end, '') };
}

test.each(['setsid', 'env'] as const)(
  'what a run that ended by itself has left behind (%s) lives on, and nobody waits for it',
  async (how) => {
    const { agent, run, left, more, end } = await inARun(how);
    end();
    expect((await run.finished).outcome).toBe('unchanged');
    expect((await more.finished).outcome).toBe('unchanged');
    expect(isAlive(left)).toBe(true);
    expect((await agent.status(peerOf())).running).toBeUndefined();
    expect((await (await kick(agent, skip())).finished).outcome).toBe('unchanged');
  },
);

test.each(['wrapper', 'both', 'wrapper, then the run'] as const)(
  'kill -9 of the %s: the lock is free when both are gone, and not before',
  async (who) => {
    const { agent, run, left, inner, wrapper, lock, more, end } = await inARun('setsid');
    kill(wrapper);
    await gone(wrapper);
    if (who === 'both') kill(inner);
    else {
      // The run goes on: no other wrapper gets the lock, and none can take it over.
      const other = { argv: ['/bin/true'], env: { PATH: '/usr/bin:/bin' } };
      expect(await startWrapper(tempFolder(), lock, other)).toBe('locked');
      expect(await startWrapper(tempFolder(), lock, { ...other, takeOver: true })).toBe('locked');
      expect(more.events.some(({ type }) => type === 'started')).toBe(false);
      if (who === 'wrapper') end();
      else kill(inner);
    }
    expect((await run.finished).outcome).toBe('interrupted');
    end();
    expect((await more.finished).outcome).toBe('unchanged');
    expect(isAlive(left)).toBe(true);
    expect((await agent.status(peerOf())).running).toBeUndefined();
  },
);

test('what a fixed command that was killed leaves in its own session may be its work: busy, named, and seen by status', async () => {
  const { agent, run, left, inner, more, end } = await inARun('env');
  kill(inner);
  expect(await run.finished).toMatchObject({ outcome: 'interrupted', exit: 137 });
  end();
  const holder = {
    pid: left.pid,
    what: 'sleep, left behind by a run of kick',
    command: 'sleep 600',
    isRun: false,
    next: expect.stringContaining(`kill ${left.pid}`),
  };
  expect(await (await kick(agent, skip())).finished).toMatchObject({ outcome: 'busy', holder });
  const waiting = more.events.filter(({ type }) => type === 'waiting');
  await expect.poll(() => waiting.length).toBeGreaterThan(0);
  expect((await agent.status(peerOf())).running).toMatchObject(holder);
  expect(isAlive(left)).toBe(true);
  kill(left);
  expect((await more.finished).outcome).toBe('unchanged');
  expect((await agent.status(peerOf())).running).toBeUndefined();
});

test('of a Puppet that was killed only what Puppet takes for a run keeps the lock', async () => {
  const { lock, left, inner, wrapper, agent } = await inARun('env');
  await agent.stop();
  kill(wrapper);
  kill(inner);
  await Promise.all([gone(wrapper), gone(inner)]);
  expect(keeperOf(lock, { runsPuppet: true })).toBeUndefined();
  expect(keeperOf(lock, { runsPuppet: false })).toMatchObject({ pid: left.pid });
});

test('a stranger who has locked our file is named, and the lock is not taken from him', async () => {
  const folder = tempFolder();
  const agent = await startAgent(folder, { runner: command('ok') });
  const lock = join(folder, 'run', 'run.lock');
  const stranger = spawn('flock', [lock, 'sh', '-c', 'echo locked; read x'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void stranger.kill('SIGKILL'));
  await once(stranger.stdout, 'data');
  const holder = { what: expect.stringMatching(/^(flock|sh), not by kick$/), isRun: false };
  expect((await agent.status(peerOf())).running).toMatchObject(holder);
  expect(await (await kick(agent, skip())).finished).toMatchObject({ outcome: 'busy', holder });
  const one = await kick(agent);
  await one.until('waiting');
  stranger.stdin.end('\n');
  expect((await one.finished).outcome).toBe('unchanged');
});

/** A lock that only a process left behind holds, as after kill -9 of the wrapper and the run. */
async function leftBehind() {
  const folder = tempFolder();
  const [dir, lock, pidFile] = [join(folder, 'run'), join(folder, 'lock'), join(folder, 'pid')];
  mkdirSync(dir);
  const env = { PATH: '/usr/bin:/bin' };
  const argv = [fixture('leaves-until'), 'setsid', pidFile, join(folder, 'end')];
  const first = await startWrapper(dir, lock, { argv, env });
  if (typeof first === 'string') throw new Error(first);
  first.release();
  const left = await pidIn(pidFile);
  kill(first.process);
  kill(first.inner);
  await Promise.all([gone(first.process), gone(first.inner)]);
  const start = (takeOver: boolean, program = '/bin/true') => {
    const own = join(folder, `run-${Math.random()}`);
    mkdirSync(own);
    return startWrapper(own, lock, { argv: [program], env, takeOver });
  };
  return { lock, left, start };
}

test('of many who take over at once exactly one has the lock', async () => {
  const { lock, left, start } = await leftBehind();
  expect(await start(false)).toBe('left-behind');
  const all = await Promise.all(Array.from({ length: 8 }, () => start(true)));
  const ready = all.filter((one) => typeof one === 'object');
  expect(ready).toHaveLength(1);
  expect(all.filter((one) => one === 'locked')).toHaveLength(7);
  expect(
    flockHolders(lock)
      .map(({ pid }) => pid)
      .sort(),
  ).toEqual([ready[0]?.process.pid, ready[0]?.inner.pid].sort());
  expect(await start(true)).toBe('locked');
  expect(isAlive(left)).toBe(true);
  ready[0]?.abandon();
  await ready[0]?.ended;
  const next = await start(false);
  if (typeof next === 'string') throw new Error(next);
  next.abandon();
  await next.ended;
});

test('a wrapper that is killed at the gate leaves nothing that could begin', async () => {
  const { start } = await leftBehind();
  const ready = await start(true, '/bin/sleep');
  if (typeof ready === 'string') throw new Error(ready);
  expect(descendants(ready.process.pid).map(({ pid }) => pid)).toEqual([ready.inner.pid]);
  kill(ready.process);
  await ready.ended;
  ready.release();
  await gone(ready.inner);
  const next = await start(false);
  if (typeof next === 'string') throw new Error(next);
  next.abandon();
  await next.ended;
});
