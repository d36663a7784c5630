/** What an agent tells of Puppet beside the outcome: changed resources, the last run, and runs that it has not begun. */
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { namedProcess } from '../support/processes.ts';
import { host } from './fake-puppet.ts';
import { command, kick, peerOf, requestOf, resume, sealed, startAgent } from './harness.ts';

const RESOURCES = `resource_statuses:
  File[/etc/motd]:
    resource: File[/etc/motd]
    changed: true
    events:
    - property: content
      previous_value: a
      desired_value: b
      status: success
`;

test('the changed resources are told once, directly before the end, and with the same number after a restart', async () => {
  const { dir, agent } = await host('2 changed true');
  writeFileSync(join(dir, 'resources'), RESOURCES);
  const request = requestOf();
  const { events, finished } = await kick(agent, request);
  await finished;
  expect(events.slice(-2).map(({ type }) => type)).toEqual(['resources', 'finished']);
  expect(events.at(-2)).toMatchObject({
    resources: [
      {
        resource: 'File[/etc/motd]',
        status: 'changed',
        events: [{ property: 'content', old: 'a', new: 'b' }],
      },
    ],
  });
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  await agent.stop();
  const again = await startAgent(join(dir, '..'), { runner: command('ok') });
  const told = await resume(again, request.job);
  await told.finished;
  expect(told.events).toEqual(events);
});

test('the status tells the last run, and the classes only when asked', async () => {
  const { dir, agent } = await host('2 changed true time=2026-11-23T14:33:18+00:00');
  writeFileSync(join(dir, 'classes.txt'), 'settings\nlab\n');
  await (await kick(agent)).finished;
  const status = await agent.status(peerOf());
  expect(status.lastRun).toEqual({ status: 'changed', at: Date.parse('2026-11-23T14:33:18Z') });
  expect(status.classes).toBeUndefined();
  expect((await agent.status(peerOf(), { classes: true })).classes).toEqual(['settings', 'lab']);
});

test('pipes in place of the files that Puppet leaves hold up nothing', async () => {
  const { dir, agent, finished } = await host('2 changed true\n2 changed true');
  for (const name of ['classes.txt', 'agent_catalog_run.lock']) execFileSync('mkfifo', [join(dir, name)]);
  expect((await finished()).message).toContain('it is a named pipe');
  rmSync(join(dir, 'agent_catalog_run.lock'));
  expect((await finished()).outcome).toBe('changed');
  rmSync(join(dir, 'last_run_report.yaml'));
  execFileSync('mkfifo', [join(dir, 'last_run_report.yaml')]);
  const status = await agent.status(peerOf(), { classes: true });
  expect([status.lastRun, status.classes]).toEqual([undefined, undefined]);
});

test("a run that kick did not begin is called stuck when it is over Puppet's own limit, and is left alone", async () => {
  const { dir, agent } = await host('', { runTimeoutMs: 1000 });
  const lock = join(dir, 'agent_catalog_run.lock');
  const run = await namedProcess('puppet-sleep');
  writeFileSync(lock, String(run.pid));
  expect((await agent.status(peerOf())).running).toMatchObject({
    pid: run.pid,
    what: 'puppet-sleep, not by kick',
  });
  const began = new Date(Date.now() - 1500);
  utimesSync(lock, began, began);
  expect((await agent.status(peerOf())).running).toMatchObject({
    stuck: 'over its time limit of 1s',
    next: expect.stringContaining('leaves it alone'),
  });
});

test("a lock whose pid is another process's by now is told as such, with whose it is and what to do", async () => {
  const { dir, agent, finished } = await host('2 changed true');
  const lock = join(dir, 'agent_catalog_run.lock');
  const run = await namedProcess('xpuppet');
  writeFileSync(lock, `${run.pid}\n`);
  const written = new Date(Date.now() - 86_400_000);
  utimesSync(lock, written, written);
  const holder = {
    ...{ pid: run.pid, what: 'xpuppet, not by kick', since: written.getTime(), isRun: false },
    command: `${run.spawnfile} 3600`,
    user: expect.any(String),
    began: expect.any(Number),
    stuck: expect.stringContaining('after the lock was written'),
    next: expect.stringContaining(`remove ${lock} there`),
  };
  const status = await agent.status(peerOf());
  expect(status.running).toMatchObject(holder);
  expect(status.running?.began).toBeGreaterThan(written.getTime());
  const busy = await finished(requestOf({ queue: { ifRunning: 'skip' } }));
  expect(busy).toMatchObject({ outcome: 'busy', message: 'its lock is held', holder });
  expect(existsSync(join(dir, 'ran'))).toBe(false);
  const cancelled = await agent.command(await sealed(requestOf({ action: { op: 'cancel' } })), peerOf());
  expect(cancelled).toMatchObject({
    result: 'nothing',
    message: expect.stringContaining(`remove ${lock} there`),
  });
  rmSync(lock);
  expect((await finished()).outcome).toBe('changed');
});
