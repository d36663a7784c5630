/** What real runs tell: the resources that changed or would, the last run, the classes, the catalog's version. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { AGENTS } from './agents.ts';
import {
  type Controller,
  calm,
  controllerFor,
  kickCommand,
  newMessage,
  outcomesOf,
  type RunningAgent,
  startAgent,
  useLab,
} from './harness.ts';

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
  expect(same.stdout).toMatch(/^ {2}2 hosts: Exec\[\/bin\/true\] returns {2}\(agent11.lab, agent12.lab\)$/m);
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
  expect(without.stderr).toContain('warning: 1 host did not answer and cannot be judged:\n  agent11.lab');
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
