/** DESIGN 3 with three real agents, kicked together by one command as the Puppet server. */
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { AGENTS } from './agents.ts';
import {
  type Controller,
  controllerFor,
  outcomesOf,
  type RunningAgent,
  startAgent,
  useLab,
} from './harness.ts';
import { calm, messageOn, newMessage, puppetAgent } from './runs.ts';

const lab = useLab();
const [one, two, three] = AGENTS.outcomes;
const all = AGENTS.outcomes.map((agent) => lab.certnameOf(agent));
let agents: RunningAgent[];
let controller: Controller;

beforeAll(async () => {
  agents = await Promise.all(AGENTS.outcomes.map((agent) => startAgent(lab, agent)));
  controller = controllerFor(lab, agents, {
    home: join(lab.dir, 'controller-outcomes'),
    as: ['--puppet', lab.serverPuppet], // nothing is configured
  });
});

afterAll(() => Promise.all(agents.map((agent) => agent.end('SIGTERM'))));

beforeEach(async () => {
  for (const agent of AGENTS.outcomes) await calm(lab, agent);
});

test('kick is changed where Puppet changes something, then unchanged', async () => {
  for (const agent of AGENTS.outcomes) await newMessage(lab, agent);

  const first = await controller.kick(...all);
  expect(first).toMatchObject({ exit: 0, stderr: '' }); // nothing is configured, and nothing to warn of
  expect(outcomesOf(first)).toEqual({ [one]: 'changed', [two]: 'changed', [three]: 'changed' });

  const second = await controller.kick(...all.flatMap((name) => ['--host', name]));
  expect(second, second.stderr).toMatchObject({ exit: 0 });
  expect(outcomesOf(second)).toEqual({ [one]: 'unchanged', [two]: 'unchanged', [three]: 'unchanged' });
});

test('kick tells a failed resource and a failed catalog from a host that did well', async () => {
  await lab.set(one, 'fail_resource', true);
  await lab.set(two, 'fail_catalog', true);
  const message = await newMessage(lab, three);

  const result = await controller.kick(...all);

  expect(outcomesOf(result)).toEqual({ [one]: 'failed', [two]: 'failed', [three]: 'changed' });
  expect(result.exit).toBe(1);
  expect(messageOn(lab, three)).toBe(message);
  expect(JSON.stringify(result.hosts[lab.certnameOf(one)])).toContain('/bin/false');
  expect(JSON.stringify(result.hosts[lab.certnameOf(one)])).toContain('init.pp');
  expect(JSON.stringify(result.hosts[lab.certnameOf(two)])).toContain('is made to fail');
});

test('kick --noop is would-change where changes are pending, and nothing is applied', async () => {
  const before = messageOn(lab, one);
  const message = await newMessage(lab, one);

  const dry = await controller.kick(lab.certnameOf(one), lab.certnameOf(two), '--noop');
  expect(outcomesOf(dry)).toEqual({ [one]: 'would-change', [two]: 'unchanged' });
  expect(dry.exit).toBe(0);
  expect(messageOn(lab, one)).toBe(before);

  const real = await controller.kick(lab.certnameOf(one));
  expect(outcomesOf(real)).toEqual({ [one]: 'changed' });
  expect(messageOn(lab, one)).toBe(message);
});

test('kick is disabled where Puppet is, with the reason, and nothing is applied', async () => {
  const before = messageOn(lab, three);
  await newMessage(lab, three);
  await puppetAgent(lab, three, '--disable', 'database upgrade by ops');
  try {
    const result = await controller.kick(lab.certnameOf(three));

    expect(outcomesOf(result)).toEqual({ [three]: 'disabled' });
    expect(result.exit).toBe(4);
    expect(result.stdout).toContain('database upgrade by ops');
    expect(messageOn(lab, three)).toBe(before);
  } finally {
    await puppetAgent(lab, three, '--enable');
  }
});

test('kick --environment of one that does not exist fails, and production is not applied', async () => {
  const before = messageOn(lab, two);
  await newMessage(lab, two);

  const result = await controller.kick(lab.certnameOf(two), '--environment', 'nope');

  expect(outcomesOf(result)).toEqual({ [two]: 'failed' });
  expect(result.exit).toBe(1);
  expect(messageOn(lab, two)).toBe(before);
});

test('kick --tags applies what has the tag and nothing else', async () => {
  const before = messageOn(lab, two);
  const message = await newMessage(lab, two);

  const other = await controller.kick(lab.certnameOf(two), '--tags', 'lab_failure');
  expect(outcomesOf(other)).toEqual({ [two]: 'unchanged' });
  expect(messageOn(lab, two)).toBe(before);

  const own = await controller.kick(lab.certnameOf(two), '--tags', 'lab_message');
  expect(outcomesOf(own)).toEqual({ [two]: 'changed' });
  expect(messageOn(lab, two)).toBe(message);
});

test('kick is unreachable where no agent listens, and the others are served', async () => {
  const port = agents[0]?.port ?? 0;
  await agents[0]?.end('SIGTERM');
  try {
    const result = await controller.kick(...all);

    expect(outcomesOf(result)).toEqual({ [one]: 'unreachable', [two]: 'unchanged', [three]: 'unchanged' });
    expect(result.exit).toBe(3);
    expect(result.stdout).toContain(String(port));
  } finally {
    await agents[0]?.startAgain();
  }
});
