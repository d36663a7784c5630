/** The runner of `puppet agent` with a stand-in that misbehaves on demand; the real one is in test/puppet. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { puppetAgentRunner } from '../../src/agent/runners/puppet-runners.ts';
import { serviceEnvironment, settingWords } from '../../src/puppet/service-environment.ts';
import { type Clock, systemClock } from '../../src/util/clock.ts';
import { silentLog } from '../../src/util/log.ts';
import { tempFolder } from '../support/temp.ts';
import { command, fixture, kick, peerOf, requestOf, resume, sealed, startAgent } from './harness.ts';

const TIME = '2026-11-23T14:33:18+00:00';

interface Host {
  runTimeoutMs?: number;
  /** Of PUPPET_EXTRA_OPTS; DIR is the folder of all. */
  extraOptions?: string;
  /** Appended to what Puppet tells of its settings. */
  settings?: string;
  clock?: Clock;
}

/** An agent whose Puppet does in turn what the lines say. */
async function host(
  script: string,
  { runTimeoutMs, extraOptions = '', settings = '', clock = systemClock }: Host = {},
) {
  const folder = tempFolder();
  const dir = join(folder, 'puppet');
  mkdirSync(dir);
  copyFileSync(fixture('fake-puppet'), join(dir, 'puppet'));
  chmodSync(join(dir, 'puppet'), 0o755);
  writeFileSync(join(dir, 'script'), script);
  writeFileSync(join(dir, 'puppet.conf'), '');
  writeFileSync(join(dir, 'settings'), settings);
  writeFileSync(join(dir, 'default'), `PUPPET_EXTRA_OPTS='${extraOptions.replaceAll('DIR', folder)}'\n`);
  const runner = puppetAgentRunner({
    ...{ puppet: join(dir, 'puppet'), path: '', stateDir: join(folder, 'state') },
    ...{ runEnvironment: {}, environmentFiles: [join(dir, 'default')], log: silentLog, runTimeoutMs },
  });
  const agent = await startAgent(folder, { runner, clock });
  return {
    dir,
    folder,
    agent,
    finished: async (request = requestOf()) => (await kick(agent, request)).finished,
  };
}

const ran = (dir: string) => readFileSync(join(dir, 'ran'), 'utf8').trim().split('\n');

test.each([
  ['0 unchanged true', 'unchanged'],
  ['2 changed true', 'changed'],
  ['0 unchanged true noop_pending=true', 'would-change'],
  ['4 failed true', 'failed'],
  ['1 unchanged true', 'failed'],
  ['0 unchanged true cached_catalog_status=on_failure', 'stale'],
  ['0 unchanged true cached_catalog_status=explicitly_requested', 'stale'],
  ['0 failed false', 'interrupted'],
  ['1 failed false', 'failed'],
])('a run with "%s" is %s', async (script, outcome) => {
  const { finished } = await host(script);
  expect((await finished()).outcome).toBe(outcome);
});

test('a report of another run is no proof', async () => {
  const { finished } = await host('2 changed true job_id=another\n0 unchanged true job_id=another');
  const message = expect.stringContaining("the report at hand is another run's");
  expect(await finished()).toMatchObject({ outcome: 'failed', message });
  expect(await finished()).toMatchObject({ outcome: 'interrupted', message });
});

test('a lost race for the lock is waited out, and never a failure', async () => {
  const { agent, dir } = await host('lost\nlost\n2 changed true');
  const one = await kick(agent);
  expect(await one.finished).toMatchObject({ outcome: 'changed' });
  expect(ran(dir)).toEqual(['lost', 'lost', '2 changed true']);
  expect(one.events.map(({ seq }) => seq)).toEqual(one.events.map((_, index) => index + 1));
});

test('a race that is lost though nobody holds the lock is run a few times, and then failed with the words of Puppet', async () => {
  const { dir, finished } = await host('lost\n'.repeat(200));
  expect(await finished()).toMatchObject({
    outcome: 'failed',
    exit: 1,
    message: expect.stringMatching(/no run is in progress: Lauf in Arbeit/),
  });
  expect(ran(dir)).toHaveLength(3);
});

test('a request without patience is busy after one lost race', async () => {
  const { dir, finished } = await host('lost\n'.repeat(200));
  expect((await finished(requestOf({ queue: { wait: 0 } }))).outcome).toBe('busy');
  expect(ran(dir)).toHaveLength(1);
});

test('Puppet that cannot make its lock has failed, and is not begun again', async () => {
  const { dir, finished } = await host('bare 1\n'.repeat(9));
  const message = `Read-only file system @ rb_sysopen - ${join(dir, 'agent_catalog_run.lock')}`;
  writeFileSync(join(dir, 'words'), `${JSON.stringify({ level: 'err', source: 'Puppet', message })}\n`);
  expect(await finished()).toMatchObject({ outcome: 'failed', error: { message } });
  expect(ran(dir)).toHaveLength(1);
});

test('an exec that echoes the path of the lock loses no race', async () => {
  const { dir, finished } = await host('bare 1\n'.repeat(9));
  const message = join(dir, 'agent_catalog_run.lock');
  writeFileSync(join(dir, 'words'), `${JSON.stringify({ level: 'notice', source: 'Exec[ls]', message })}\n`);
  expect((await finished()).outcome).toBe('failed');
  expect(ran(dir)).toHaveLength(1);
});

test('a disabled host is told with its reason, and nothing runs', async () => {
  const { dir, finished } = await host('2 changed true');
  writeFileSync(join(dir, 'agent_disabled.lock'), '{"disabled_message":"maintenance"}');
  expect(await finished()).toMatchObject({ outcome: 'disabled', message: 'maintenance' });
  expect(existsSync(join(dir, 'ran'))).toBe(false);
});

test('a host where a run begins just now is waited for', async () => {
  const now = Date.now();
  const { dir, agent } = await host('2 changed true', { clock: { ...systemClock, now: () => now } });
  writeFileSync(join(dir, 'agent_catalog_run.lock'), ''); // and stays young
  const one = await kick(agent);
  expect(await one.until('waiting')).toMatchObject({ holder: { what: 'a Puppet run that begins' } });
  rmSync(join(dir, 'agent_catalog_run.lock'));
  expect((await one.finished).outcome).toBe('changed');
});

test('puppet that is gone, or that others can write, is a failed run with that reason', async () => {
  const { dir, finished } = await host('2 changed true');
  chmodSync(join(dir, 'puppet'), 0o777);
  expect((await finished()).message).toContain('can be written by others');
  rmSync(join(dir, 'puppet'));
  expect((await finished()).message).toContain('is missing or not executable');
});

test('a state folder that PUPPET_EXTRA_OPTS names is where the report, the locks and the last run are', async () => {
  const state = { extraOptions: '--debug --statedir "DIR/the state" --logdest /dev/null' };
  const { folder, finished, agent } = await host(`2 changed true time=${TIME}\n2 changed true`, state);
  const stateDir = join(folder, 'the state');
  mkdirSync(stateDir);
  expect((await finished()).outcome).toBe('changed');
  expect((await agent.status(peerOf())).lastRun).toMatchObject({ status: 'changed' });
  writeFileSync(join(stateDir, 'agent_disabled.lock'), '{"disabled_message":"maintenance"}');
  expect(await finished()).toMatchObject({ outcome: 'disabled', message: 'maintenance' });
});

test('extra options that Puppet refuses as settings are left to its runs', async () => {
  const { finished } = await host('2 changed true', { extraOptions: '--refused now' });
  expect((await finished()).outcome).toBe('changed');
});

const METRICS = `metrics:
  resources:
    name: resources
    values:
    - - total
      - Total
      - 9
    - - skipped
      - Skipped
      - 9
`;

test("a run that the host's own settings narrow says so, and whose settings those are", async () => {
  const { dir, finished, agent } = await host(
    `0 unchanged true environment=production time=${TIME}\n0 unchanged true\n0 unchanged true`,
    { extraOptions: '--tags=nosuch', settings: ',"tags":"nosuch","environment":"nope"' },
  );
  writeFileSync(join(dir, 'resources'), METRICS);
  expect(await finished()).toMatchObject({
    outcome: 'unchanged',
    message:
      "9 of 9 resources were skipped (the host's PUPPET_EXTRA_OPTS says tags = nosuch); the host's puppet.conf says environment = nope, but the run used production",
  });
  expect((await agent.status(peerOf())).lastRun).toMatchObject({
    ...{ environment: 'production', settingsEnvironment: 'nope', resources: { total: 9, skipped: 9 } },
  });
  const asked = requestOf({ action: { op: 'run', tags: ['web', 'db'], environment: 'dev' } });
  expect((await finished(asked)).message).toBe('9 of 9 resources were skipped (--tags web,db)');
});

test('serviceEnvironment splits PUPPET_EXTRA_OPTS as systemd does, and settingWords keeps the settings', () => {
  const file = join(tempFolder(), 'puppet');
  writeFileSync(file, 'PUPPET_EXTRA_OPTS=--a "b c" --d=\'e f\'g h\\\\ i ""\n');
  expect(serviceEnvironment([file]).extraOptions).toEqual(['--a', 'b c', '--d=e fg', 'h i', '']);
  const options =
    '-v --verbose --noop --logdest /x -l /y --statedir /s --digest=MD5 --tags=a --waitforcert 0 -o stray';
  expect(settingWords(options.split(' '))).toEqual(['--statedir', '/s', '--tags=a', '--waitforcert', '0']);
});

test('serviceEnvironment takes what puppet.service would, less what changes the code', () => {
  const file = join(tempFolder(), 'puppet');
  writeFileSync(
    file,
    'FACTER_role="web server"\nRUBYOPT=-rx\nLD_PRELOAD=/x\nPUPPET_EXTRA_OPTS=--debug --x\n# no\n',
  );
  const { variables, extraOptions, warnings } = serviceEnvironment([file]);
  expect(variables).toEqual({ FACTER_role: 'web server' });
  expect(extraOptions).toEqual(['--debug', '--x']);
  expect(warnings).toHaveLength(2);
  chmodSync(file, 0o666);
  expect(serviceEnvironment([file])).toMatchObject({
    variables: {},
    warnings: [expect.stringContaining('left out')],
  });
});

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
  const run = await namedProcess(dir, 'puppet-sleep');
  writeFileSync(lock, String(run.pid));
  expect((await agent.status(peerOf())).running).toMatchObject({
    pid: run.pid,
    what: 'puppet-sleep, not by kick',
  });
  const began = new Date(Date.now() - 1500);
  utimesSync(lock, began, began);
  expect((await agent.status(peerOf())).running).toMatchObject({
    stuck: 'over its time limit of 1s',
    next: expect.stringContaining('kick leaves it alone'),
  });
});

test("a lock whose pid is another process's by now is told as such, with whose it is and what to do", async () => {
  const { dir, agent, finished } = await host('2 changed true');
  const lock = join(dir, 'agent_catalog_run.lock');
  const run = await namedProcess(dir, 'xpuppet');
  writeFileSync(lock, `${run.pid}\n`);
  const written = new Date(Date.now() - 86_400_000);
  utimesSync(lock, written, written);
  const holder = {
    ...{ pid: run.pid, what: 'xpuppet, not by kick', since: written.getTime(), isRun: false },
    command: `${join(dir, 'xpuppet')} 3600`,
    user: expect.any(String),
    began: expect.any(Number),
    stuck: expect.stringContaining('after the lock was written'),
    next: expect.stringContaining(`remove ${lock} there`),
  };
  const status = await agent.status(peerOf());
  expect(status.running).toMatchObject(holder);
  expect(status.running?.began).toBeGreaterThan(Date.now() - 60_000);
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

/** A process that Puppet's own rule takes for a run, by its name alone. */
async function namedProcess(dir: string, name: string) {
  copyFileSync('/bin/sleep', join(dir, name));
  const child = spawn(join(dir, name), ['3600']);
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  return child;
}
