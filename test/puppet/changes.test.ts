/** What real runs tell: the resources that changed or would, the last run, the classes, the catalog's version. */
import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { AGENTS } from './agents.ts';
import {
  type Controller,
  controllerFor,
  kickCommand,
  outcomesOf,
  type RunningAgent,
  startAgent,
  useLab,
} from './harness.ts';
import { calm, newMessage } from './runs.ts';

const lab = useLab();
const [one, two] = AGENTS.changes;
const all = AGENTS.changes.map((agent) => lab.certnameOf(agent));
const [oneName = ''] = all;
const home = join(lab.dir, 'controller-changes');
let agents: RunningAgent[];
let controller: Controller;

interface Told {
  resources?: { resource: string; status: string; events: { property?: string; message?: string }[] }[];
}

beforeAll(async () => {
  agents = await Promise.all(AGENTS.changes.map((agent) => startAgent(lab, agent)));
  controller = controllerFor(lab, agents, { home });
  // What is asked of the agents here is not to be asked of the lab's PuppetDB.
  writeFileSync(join(home, 'etc', 'controller.yaml'), 'puppetdb: false\n');
});

afterAll(() => Promise.all(agents.map((agent) => agent.end('SIGTERM'))));

beforeEach(async () => {
  for (const agent of AGENTS.changes) await calm(lab, agent);
});

test('a run tells which file it changed; a noop run what it would', async () => {
  await controller.kick(...all);
  await newMessage(lab, one);
  await newMessage(lab, two);
  const preview = await controller.kick(oneName, '--noop');
  const result = await controller.kick(oneName);
  const file = `File[${lab.dirOf(one)}/managed/message]`;
  const event = { property: 'content', message: expect.stringContaining('content changed') };
  expect((preview.hosts[oneName] as Told | undefined)?.resources).toEqual([
    expect.objectContaining({ resource: file, status: 'pending' }),
  ]);
  expect((result.hosts[oneName] as Told | undefined)?.resources).toEqual([
    expect.objectContaining({ resource: file, status: 'changed', events: [expect.objectContaining(event)] }),
  ]);
});

test('hosts with the same changes stand together, and a failure is told with its resource', async () => {
  for (const agent of AGENTS.changes) await lab.set(agent, 'noisy', true);
  const same = await kickCommand(home, 'run', '--puppet', lab.serverPuppet, ...all);
  expect(same.exit, same.stderr).toBe(0);
  expect(same.stdout).toMatch(/^ {2}2 hosts: Exec\[\/bin\/true\] returns {2}\(agent\[11-12\]\.lab\)$/m);
  await lab.set(one, 'fail_resource', true);
  const failed = await kickCommand(home, 'run', '--puppet', lab.serverPuppet, ...all);
  expect(failed.exit).toBe(1);
  expect(failed.stdout).toMatch(/^ {2}1 host: Exec\[lab failure\] failed: .*\/bin\/false/m);
  const shown = await kickCommand(home, 'jobs', 'show', 'last', '--host', oneName);
  expect(shown.stdout).toMatch(/Exec\[lab failure\] failed: .*init\.pp:\d+\)/);
  expect(shown.stdout).toMatch(/notice: .*Exec\[\/bin\/true\]/);
});

test('without PuppetDB the agents themselves tell classes and last runs; one that is gone is listed', async () => {
  await lab.set(one, 'fail_resource', true);
  await controller.kick(...all);
  const found = (...args: string[]) =>
    kickCommand(home, 'nodes', '--puppet', lab.serverPuppet, '--expand', ...args);
  expect(await found('--class', 'lab')).toMatchObject({ exit: 0, stdout: `${all.join('\n')}\n` });
  expect(await found('--last', 'failed')).toMatchObject({ exit: 0, stdout: `${oneName}\n` });
  expect((await found('--class', 'nginx')).stderr).toContain('nobody is left');
  const [first] = agents;
  await first?.end('SIGKILL');
  const without = await found('--class', 'lab');
  await first?.startAgain();
  expect(without).toMatchObject({ exit: 3, stdout: `${all[1]}\n` });
  expect(without.stderr).toContain('kick: warning: 1 host cannot be judged:\n  agent11.lab');
});

test('a catalog of another version than the one that was deployed is stale', async () => {
  const result = await controller.kick(oneName, '--expect-version', 'v2');
  expect(outcomesOf(result)).toEqual({ [one]: 'stale' });
  expect(result.exit).toBe(1);
  const { run } = result.hosts[oneName] as unknown as { run: { facts: { configurationVersion: string } } };
  const version = run.facts.configurationVersion;
  // Without config_version it is the time of compilation, in seconds.
  expect(version).toMatch(/^\d+$/);
});

/** Production's code in an environment of its own, whose version is what `text` says. */
function environmentOf(name: string, text: string): void {
  const folder = join(lab.dir, 'code', 'environments', name);
  mkdirSync(folder, { recursive: true });
  for (const part of ['manifests', 'modules', 'data', 'hiera.yaml']) {
    const link = join(folder, part);
    if (!existsSync(link)) symlinkSync(join('..', 'production', part), link);
  }
  const script = join(folder, 'version.sh');
  writeFileSync(join(folder, 'version'), text);
  writeFileSync(script, `#!/bin/sh\ncat ${join(folder, 'version')}\n`);
  chmodSync(script, 0o755);
  writeFileSync(join(folder, 'environment.conf'), `environment_timeout = 0\nconfig_version = ${script}\n`);
}

const LONG = 'the first line of a message that goes on until it has passed the eightieth column';

test.each([
  ['4187e02', ['changed']],
  [`${LONG} twice, über #all: of - it`, ['changed', 'unchanged']],
  [`c1: ${LONG}\n\nstatus: failed\n  - with a list`, ['changed']],
  ['--- !ruby/object:Puppet\n\ttab\u2028and other breaks', ['changed']],
])('a config_version of %j makes no good run bad, and is told as it is', async (text, outcomes) => {
  environmentOf('versions', text);
  await newMessage(lab, one);

  for (const outcome of outcomes) {
    const result = await controller.kick(oneName, '--environment', 'versions');
    expect(outcomesOf(result), result.stdout).toEqual({ [one]: outcome });
    const { run } = result.hosts[oneName] as unknown as { run: { facts: object } };
    expect(run.facts).toMatchObject({ configurationVersion: text, environment: 'versions' });
  }
  const status = await kickCommand(home, 'status', '--puppet', lab.serverPuppet, oneName);
  expect(status.stdout).toContain(`idle; last run ${outcomes.at(-1)} `);
});

test('drift that could not be repaired is not called repaired', async () => {
  const file = join(lab.dirOf(one), 'managed', 'message');
  const line = (rest: string) => new RegExp(`^ {2}${oneName} {2}${rest}`, 'm');
  const after = async () => (await kickCommand(home, 'run', '--puppet', lab.serverPuppet, oneName)).stdout;
  await controller.kick(oneName);

  writeFileSync(file, 'by somebody else\n');
  expect(await after()).toMatch(line('changed .* {2}drift repaired$'));

  // A folder with something in it is not replaced by a file without `force`.
  rmSync(file);
  mkdirSync(join(file, 'something'), { recursive: true });
  onTestFinished(() => rmSync(file, { recursive: true, force: true }));
  expect(await after()).toMatch(line('failed .* {2}drift found, not repaired'));
  const status = await kickCommand(home, 'status', '--puppet', lab.serverPuppet, oneName);
  expect(status.stdout).toContain('last run failed (drift found, not repaired)');
});
