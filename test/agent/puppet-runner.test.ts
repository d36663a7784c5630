/** The runner of `puppet agent` with a stand-in that misbehaves on demand; the real one is in test/puppet. */
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { serviceEnvironment, settingWords } from '../../src/puppet/service-environment.ts';
import { systemClock } from '../../src/util/clock.ts';
import { tempFolder } from '../support/temp.ts';
import { host, ran, TIME } from './fake-puppet.ts';
import { kick, peerOf, requestOf } from './harness.ts';

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

test('a state directory that PUPPET_EXTRA_OPTS names is where the report, the locks and the last run are', async () => {
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

test('serviceEnvironment takes what puppet.service would, less what changes the code, and only from root', () => {
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
  expect(() => serviceEnvironment([file])).toThrow(/can be written by others/);
  chmodSync(file, 0o644);
  expect(serviceEnvironment([file]).warnings).toHaveLength(2);
});
