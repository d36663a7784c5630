/** The package of the agent, installed and upgraded by Puppet: also by the very run that the agent has started. */
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { isAlive } from '../../src/util/proc.ts';
import { canMount } from '../support/disks.ts';
import { AGENTS } from './agents.ts';
import { type Controller, controllerFor, kickInRun, outcomesOf, useLab } from './harness.ts';
import { CHECKOUTS_UNIT, type PackagedHost, packagedHost } from './packaged-host.ts';
import { calm, catalogsOf, letGo, messageOn, newMessage } from './runs.ts';

const lab = useLab();
const [agent] = AGENTS.upgrade;
const certname = lab.certnameOf(agent);
let host: PackagedHost;
let controller: Controller;

beforeAll(async () => {
  if (!canMount) return;
  host = await packagedHost(lab, agent);
  await host.offer('1.0.0');
  controller = controllerFor(lab, [{ certname, port: host.port }], {
    home: join(lab.dir, 'controller-upgrade'),
  });
});

afterAll(() => host?.end());

beforeEach(() => calm(lab, agent));

test.runIf(canMount)('an ordinary run installs the agent, which can then be kicked', async () => {
  const { out, err, code } = await host.run(lab.puppetOf(agent), 'agent', '--test', '--color=false');
  expect(code, `${out}${err}`).toBe(2);
  expect(await versionOf()).toBe('1.0.0');
  // It has been started, and asks Puppet first where its certificates are.
  await expect.poll(() => isOpen(host.port)).toBe(true);
  expect((await host.run('test', '-e', CHECKOUTS_UNIT)).code).toBe(1);

  const result = await controller.kick(certname);

  expect(outcomesOf(result), result.stderr).toEqual({ [agent]: 'unchanged' });
  expect(result.exit).toBe(0);
});

test.runIf(canMount)(
  'a run that upgrades the agent that has started it is changed, and is one run',
  async () => {
    await host.offer('1.1.0');
    const message = await newMessage(lab, agent);
    const before = { pid: host.agentPid(), catalogs: catalogsOf(lab, agent) };
    const { kick, puppet } = await kickInRun(lab, { agent, certname, controller });

    // In its middle: the package is new, and so is the agent.
    expect(await versionOf()).toBe('1.1.0');
    expect(host.agentPid()).not.toBe(before.pid);
    expect(isAlive(puppet)).toBe(true);
    await letGo(lab, agent);
    const result = await kick.result;

    expect(outcomesOf(result), result.stderr).toEqual({ [agent]: 'changed' });
    expect(result.exit).toBe(0);
    expect(messageOn(lab, agent)).toBe(message);
    expect(catalogsOf(lab, agent)).toBe(before.catalogs + 1);

    const next = await controller.kick(certname);
    expect(outcomesOf(next), next.stderr).toEqual({ [agent]: 'unchanged' });
    expect(next.exit).toBe(0);
  },
);

test.runIf(canMount)('a run that upgrades its agent and then fails is failed', async () => {
  await host.offer('1.2.0');
  await lab.set(agent, 'fail_resource', true);

  const result = await controller.kick(certname);

  expect(outcomesOf(result), result.stderr).toEqual({ [agent]: 'failed' });
  expect(result.exit).toBe(1);
  expect(JSON.stringify(result.hosts[certname])).toContain('/bin/false');
  expect(await versionOf()).toBe('1.2.0');
});

test.runIf(canMount)('a run that changes what only a restart of its agent applies is changed', async () => {
  const pid = host.agentPid();
  host.configure('queue_size => 7');

  const result = await controller.kick(certname);

  expect(outcomesOf(result), result.stderr).toEqual({ [agent]: 'changed' });
  expect(result.exit).toBe(0);
  expect(host.agentPid()).not.toBe(pid);
});

test.runIf(canMount)(
  'a package that is broken leaves the agent as it was, and the run is failed',
  async () => {
    await host.offerGarbage();
    const pid = host.agentPid();

    const result = await controller.kick(certname);

    expect(outcomesOf(result), result.stderr).toEqual({ [agent]: 'failed' });
    expect(result.exit).toBe(1);
    expect(host.agentPid()).toBe(pid);
    expect(await versionOf()).toBe('1.2.0');
  },
);

async function versionOf(): Promise<string> {
  return (await host.run('/usr/bin/kick', '--version')).out.trim();
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
