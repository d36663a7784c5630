/** DESIGN 4: whatever dies, one run at a time, and every accepted request gets exactly one outcome. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commandRunner } from '../../src/agent/runners/command-runner.ts';
import { identify } from '../../src/util/proc.ts';
import { ROOT } from '../../tools/program.ts';
import { editStored } from '../support/edit-stored.ts';
import { agentPlace, anySignal, outcomeOf, readUntil } from '../support/real-agent.ts';
import { tempFolder } from '../support/temp.ts';
import { command, fixture, kick, requestOf, startAgent } from './harness.ts';

/** None where nothing has been noted yet. */
const lines = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : []);

async function runUntilFile() {
  const folder = tempFolder();
  const [journal, release] = [join(folder, 'journal'), join(folder, 'release')];
  const place = await agentPlace(folder, [fixture('until-taken'), journal, release]);
  return { folder, journal, release, place };
}

test('an agent killed during a run comes back, follows the run and does not repeat it', async () => {
  const { journal, release, place } = await runUntilFile();
  const first = await place.start();
  const { job, body } = await place.request();
  const started = await readUntil(
    await place.sender.submit(first.target, body, { signal: anySignal() }),
    'started',
  );
  await first.kill('SIGKILL');
  const second = await place.start();
  writeFileSync(release, '');
  const finished = await outcomeOf(place, second.target, job);
  expect(finished).toMatchObject({ outcome: 'changed', exit: 2, run: started?.run });
  expect(lines(journal).map((line) => line.split(' ')[0])).toEqual(['begin', 'end']);
  await second.kill('SIGTERM');
});

test('a run that ends while no agent is there keeps its outcome', async () => {
  const { journal, release, place } = await runUntilFile();
  const first = await place.start();
  const { job, body } = await place.request();
  await readUntil(await place.sender.submit(first.target, body, { signal: anySignal() }), 'started');
  await first.kill('SIGKILL');
  writeFileSync(release, '');
  await expect.poll(() => lines(journal).length).toBe(2);
  const second = await place.start();
  expect(await outcomeOf(place, second.target, job)).toMatchObject({ outcome: 'changed', exit: 2 });
  await second.kill('SIGTERM');
});

test('an agent that is told to end leaves the run going, and ends at once', async () => {
  const { release, place } = await runUntilFile();
  const first = await place.start();
  const { job, body } = await place.request();
  const started = await readUntil(
    await place.sender.submit(first.target, body, { signal: anySignal() }),
    'started',
  );
  await first.kill('SIGTERM');
  expect(identify(started?.pid ?? 0)).toBeDefined();
  const second = await place.start();
  writeFileSync(release, '');
  expect((await outcomeOf(place, second.target, job)).outcome).toBe('changed');
  await second.kill('SIGTERM');
});

test('requests that waited when the agent was killed are served by a later run', async () => {
  const { release, place } = await runUntilFile();
  const first = await place.start();
  const running = await place.request();
  await readUntil(await place.sender.submit(first.target, running.body, { signal: anySignal() }), 'started');
  const waiting = await place.request();
  await readUntil(await place.sender.submit(first.target, waiting.body, { signal: anySignal() }), 'waiting');
  await first.kill('SIGKILL');
  const second = await place.start();
  writeFileSync(release, '');
  const one = await outcomeOf(place, second.target, running.job);
  writeFileSync(release, '');
  const two = await outcomeOf(place, second.target, waiting.job);
  expect([one.outcome, two.outcome]).toEqual(['changed', 'changed']);
  expect(two.run).not.toBe(one.run);
  await second.kill('SIGTERM');
});

test.each(['wrapper', 'run', 'both'] as const)(
  'kill -9 of the %s is told, and the lock is free again',
  async (who) => {
    const folder = tempFolder();
    const pidFile = join(folder, 'pid');
    const agent = await startAgent(folder, { runner: command('hangs', pidFile) });
    const first = await kick(agent);
    const { pid = 0 } = await first.until('started');
    const waiting = await kick(agent);
    await waiting.until('waiting');
    const wrapper = wrapperOf(pid);
    const lock = join(folder, 'run', 'run.lock');
    if (who !== 'run') process.kill(wrapper, 'SIGKILL');
    if (who !== 'wrapper') process.kill(pid, 'SIGKILL');
    if (who === 'wrapper') {
      // The run itself lives, and holds the lock: nobody else may begin.
      await expect.poll(() => identify(wrapper)).toBeUndefined();
      expect(spawnSync('flock', ['--nonblock', lock, 'true']).status).toBe(1);
      expect(waiting.events.some(({ type }) => type === 'started')).toBe(false);
      process.kill(pid, 'SIGKILL');
    }
    const finished = await first.finished;
    expect(finished).toMatchObject({ outcome: 'interrupted' });
    expect(finished.exit).toBe(who === 'run' ? 137 : undefined);
    const { pid: next = 0 } = await waiting.until('started');
    process.kill(next, 'SIGTERM');
    expect(await waiting.finished).toMatchObject({ outcome: 'interrupted', exit: 143 });
  },
);

function wrapperOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

/** Leaves an agent's folders as they are in the middle of a run. */
async function inTheMiddle() {
  const { journal, release, place, folder } = await runUntilFile();
  const agent = await place.start();
  const { job, body } = await place.request();
  const started = await readUntil(
    await place.sender.submit(agent.target, body, { signal: anySignal() }),
    'started',
  );
  await expect.poll(() => lines(journal)).toHaveLength(1); // it has noted its begin
  await agent.kill('SIGKILL');
  const [run = ''] = readdirSync(join(place.runDir, 'runs'));
  const record = join(place.runDir, 'runs', run, 'record.json');
  return { journal, release, place, folder, job, record, pid: started?.pid ?? 0, run };
}

test('after a reboot a run without a record of its end is interrupted', async () => {
  const { place, job, record, pid, release } = await inTheMiddle();
  process.kill(wrapperOf(pid), 'SIGKILL');
  process.kill(pid, 'SIGKILL');
  editStored(record, { boot: 'another boot' });
  const agent = await place.start();
  expect(await outcomeOf(place, agent.target, job)).toMatchObject({
    outcome: 'interrupted',
    message: 'the host was restarted during the run',
  });
  expect(existsSync(release)).toBe(false);
  await agent.kill('SIGTERM');
});

test('a process that has the run old pid is not taken for it', async () => {
  const { place, job, record, pid } = await inTheMiddle();
  process.kill(wrapperOf(pid), 'SIGKILL');
  process.kill(pid, 'SIGKILL');
  const stranger = identify(process.pid);
  editStored(record, { wrapper: { pid: stranger?.pid, start: '1' } });
  const started = record.replace('record.json', 'started');
  writeFileSync(started, `${stranger?.pid} 1\n`);
  const agent = await place.start();
  expect((await outcomeOf(place, agent.target, job)).outcome).toBe('interrupted');
  await agent.kill('SIGTERM');
});

test('a run that was never let go is queued again', async () => {
  const { place, job, record, pid, release, journal, run } = await inTheMiddle();
  process.kill(wrapperOf(pid), 'SIGKILL');
  process.kill(pid, 'SIGKILL');
  const { rmSync } = await import('node:fs');
  for (const name of ['started', 'events.ndjson']) rmSync(record.replace('record.json', name));
  writeFileSync(journal, '');
  const agent = await place.start();
  writeFileSync(release, '');
  const finished = await outcomeOf(place, agent.target, job);
  expect(finished).toMatchObject({ outcome: 'changed' });
  expect(finished.run).not.toBe(run);
  expect(lines(journal)).toHaveLength(2);
  await agent.kill('SIGTERM');
});

test('a run folder that has vanished is interrupted, not run again', async () => {
  const { place, job, pid, run } = await inTheMiddle();
  process.kill(wrapperOf(pid), 'SIGKILL');
  process.kill(pid, 'SIGKILL');
  const { rmSync } = await import('node:fs');
  rmSync(join(place.runDir, 'runs', run), { recursive: true });
  const agent = await place.start();
  expect((await outcomeOf(place, agent.target, job)).outcome).toBe('interrupted');
  await agent.kill('SIGTERM');
});

test('an agent killed between record and go has started nothing', async () => {
  const folder = tempFolder();
  const journal = join(folder, 'journal');
  const { startWrapper } = await import('../../src/agent/runs/wrapper.ts');
  // The agent is a process that takes the lock, says so, and is killed before it says "go".
  const script = `
    const { startWrapper } = await import(process.argv[1]);
    const ready = await startWrapper(process.argv[2], process.argv[3], { argv: [process.argv[4], process.argv[5]], env: { PATH: '/usr/bin:/bin' } });
    if (ready !== 'locked') process.kill(process.pid, 'SIGKILL');
  `;
  const lock = join(folder, 'lock');
  const module = join(ROOT, 'dist', 'agent', 'runs', 'wrapper.js');
  const killed = spawnSync(process.execPath, [
    ...['--input-type=module', '-e', script, module, folder, lock, fixture('hangs'), journal],
  ]);
  expect(killed.signal).toBe('SIGKILL');
  let next = await startWrapper(folder, lock, { argv: ['/bin/true'], env: {} });
  while (typeof next === 'string') next = await startWrapper(folder, lock, { argv: ['/bin/true'], env: {} });
  next.abandon();
  expect(existsSync(journal)).toBe(false);
  expect(existsSync(join(folder, 'started'))).toBe(false);
});

test('a request is not accepted twice, also when it comes twice at once', async () => {
  const agent = await startAgent(tempFolder(), { runner: command('ok') });
  const request = requestOf();
  const both = await Promise.all([kick(agent, request), kick(agent, request)]);
  const [a, b] = await Promise.all(both.map(({ finished }) => finished));
  expect(a?.run).toBe(b?.run);
});

test('a wrapper that was let go and cannot write is a failed run, and is not tried for ever', async () => {
  const folder = tempFolder();
  // Without mv it can take the lock, and then make no file appear: what a full disk does, without the disk.
  const tools = join(folder, 'tools');
  mkdirSync(tools);
  for (const tool of ['sh', 'flock'])
    symlinkSync(execFileSync('which', [tool]).toString().trim(), join(tools, tool));
  const runner = commandRunner({ argv: [fixture('ok')], runEnvironment: { PATH: tools } });
  const agent = await startAgent(folder, { runner });
  expect(await (await kick(agent)).finished).toMatchObject({
    outcome: 'failed',
    message: expect.stringContaining('the run could not be started'),
  });
});
