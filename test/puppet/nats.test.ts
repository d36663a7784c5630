/** Real Puppet on hosts without a port: their agents are reached through a real broker, by Puppet's own certificates. */
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { isInstalled } from '../../tools/installed.ts';
import { type NatsServer, startNatsServer } from '../../tools/nats-server.ts';
import { AGENTS } from './agents.ts';
import {
  type Controller,
  controllerFor,
  kickCommand,
  outcomesOf,
  type RunningAgent,
  startAgent,
  until,
  useLab,
} from './harness.ts';
import { calm, catalogsOf, heldRunOf, hold, letGo, messageOn, newMessage } from './runs.ts';

const lab = useLab();
const [one, two] = AGENTS.nats;
const all = AGENTS.nats.map((agent) => lab.certnameOf(agent));
let broker: NatsServer;
let agents: RunningAgent[];
let controller: Controller;

const isConnected = ({ msg }: { msg: string }) => msg === 'connected to the broker';

/** Where this lab runs in a folder of its own, Debian's nats-server may be missing. */
const hasServer = isInstalled('nats-server');

beforeAll(async () => {
  if (!hasServer) return;
  const pem = (folder: string) => join(lab.serverSsl, folder, 'puppet.lab.pem');
  broker = await startNatsServer({
    folder: join(lab.dir, 'nats'),
    tls: {
      certificate: pem('certs'),
      key: pem('private_keys'),
      ca: join(lab.serverSsl, 'certs', 'ca.pem'),
    },
    agents: all,
    controllers: ['puppet.lab'],
  });
  const yaml = `listen: false\nnats: {servers: ['${broker.address}']}\n`;
  agents = await Promise.all(AGENTS.nats.map((agent) => startAgent(lab, agent, { yaml })));
  await Promise.all(agents.map((agent) => agent.logged('the broker', isConnected, 0)));
  controller = controllerFor(lab, agents, { home: join(lab.dir, 'controller-nats'), nats: broker.address });
});

afterAll(async () => {
  await Promise.all((agents ?? []).map((agent) => agent.end('SIGTERM')));
  await broker?.kill('SIGKILL');
});

beforeEach(async () => {
  if (!hasServer) return;
  for (const agent of AGENTS.nats) await calm(lab, agent);
});

test.runIf(hasServer)('a run that changes something, then one that has nothing to change', async () => {
  const messages = [await newMessage(lab, one), await newMessage(lab, two)];
  const first = await controller.kick(...all);
  expect(outcomesOf(first), first.stderr).toEqual({ [one]: 'changed', [two]: 'changed' });
  expect(AGENTS.nats.map((agent) => messageOn(lab, agent))).toEqual(messages);
  expect(outcomesOf(await controller.kick(...all))).toEqual({ [one]: 'unchanged', [two]: 'unchanged' });
});

test.runIf(hasServer)('a failed resource on one host, and noop on the other', async () => {
  await lab.set(one, 'fail_resource', true);
  const failed = await controller.kick(...all);
  expect(outcomesOf(failed)).toEqual({ [one]: 'failed', [two]: 'unchanged' });
  expect(failed.exit).toBe(1);
  const before = messageOn(lab, two);
  await newMessage(lab, two);
  expect(outcomesOf(await controller.kick(lab.certnameOf(two), '--noop'))).toEqual({
    [two]: 'would-change',
  });
  expect(messageOn(lab, two)).toBe(before);
});

test.runIf(hasServer)(
  'hosts are discovered by facts, a class and their latest run, of which the agents ask Puppet',
  async () => {
    await controller.kick(...all);
    const as = ['--pki-dir', lab.serverSsl, '--certname', 'puppet.lab', '--discovery-timeout', '2s'];
    const found = async (...words: string[]) => {
      const home = join(lab.dir, 'controller-nats');
      return (await kickCommand(home, 'nodes', '--discover', '--expand', ...words, ...as)).stdout;
    };
    // Puppet is asked for its facts when the agent starts, in the background.
    await expect.poll(() => found('--fact', 'kernel=Linux', '--fact', 'os.family=Debian')).toContain(all[1]);
    const asked = ['--fact', 'kernel=Linux', '--class', 'lab', '--last', 'changed,unchanged'];
    for (const certname of all) await expect.poll(() => found(...asked)).toContain(certname);
    expect((await controller.kick('--discover', '--fact', 'kernel=Plan9')).exit).toBe(2);
    expect((await controller.kick('--discover', '--class', 'nginx')).exit).toBe(2);
  },
);

test.runIf(hasServer)(
  'the broker is killed in the middle of a run, and is back: the run was one, and its outcome is true',
  async () => {
    await hold(lab, one);
    const before = catalogsOf(lab, one);
    const message = await newMessage(lab, one);
    const kick = controller.start(lab.certnameOf(one));
    await until('the run', () => heldRunOf(lab, one));
    await broker.kill('SIGKILL');
    await broker.start();
    await letGo(lab, one);
    const result = await kick.result;
    expect(outcomesOf(result), result.stdout).toEqual({ [one]: 'changed' });
    expect(messageOn(lab, one)).toBe(message);
    expect(catalogsOf(lab, one)).toBe(before + 1);
  },
);
