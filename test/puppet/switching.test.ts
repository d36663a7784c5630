/** What hosts tell of themselves, and switching Puppet off and on, for real Puppet and by real Puppet. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { AGENTS } from './agents.ts';
import {
  calm,
  catalogsOf,
  kickCommand,
  kickInRun,
  messageOn,
  newMessage,
  outcomesOf,
  type Place,
  placeOf,
  puppetAgent,
  puppetByHand,
  sleepingRunOf,
  until,
  useLab,
} from './harness.ts';

const lab = useLab();
const [agent] = AGENTS.switching;
const home = join(lab.dir, `controller-${agent}`);
const lock = join(lab.dirOf(agent), 'var', 'state', 'agent_disabled.lock');
let place: Place;

const kick = (command: string, ...args: string[]) =>
  kickCommand(home, command, place.certname, ...args, '--puppet', lab.serverPuppet);

/** What `puppet agent --test` says; it fails where Puppet is disabled. */
function byHand(): string {
  try {
    return execFileSync(lab.puppetOf(agent), ['agent', '--test', '--color=false'], { encoding: 'utf8' });
  } catch (error) {
    return String((error as { stdout?: unknown }).stdout);
  }
}

beforeAll(async () => {
  // An exec in progress outlives TERM, and the KILL is not what is tested here.
  place = await placeOf(lab, agent, { yaml: 'kill_grace: 2s\n' });
});

afterAll(() => place?.running.end('SIGTERM'));

beforeEach(() => calm(lab, agent));

test('kick status tells a run of kick, a run by hand, and the last run when it is idle', async () => {
  const { puppet, kick: running } = await kickInRun(lab, place, { seconds: 6 });
  const during = await kick('status');
  expect(during.stdout).toMatch(
    new RegExp(`applying a catalog since \\d+\\w+ \\(pid ${puppet.pid}, job [0-9a-f]{8}, by \\S+@\\S+\\)`),
  );
  await lab.unset(agent, 'sleep');
  await running.result;
  const idle = await kick('status');
  expect(idle.stdout).toMatch(/ idle; last run (un)?changed \d+ seconds? ago$/m);
  expect(idle.stdout).toContain('1 host: 1 idle');

  await lab.set(agent, 'sleep', 6);
  const before = catalogsOf(lab, agent);
  puppetByHand(lab, agent);
  const hand = await until('the run by hand', () => sleepingRunOf(lab, agent, before));
  await lab.unset(agent, 'sleep');
  expect((await kick('status')).stdout).toContain(`(pid ${hand.pid}, puppet agent, not by kick)`);
  const cancel = await kick('cancel');
  expect(cancel.exit).toBe(4);
  expect(cancel.stdout).toMatch(/none of kick's and is left alone: pid \d+/);
});

test('kick cancel ends a run of Puppet, whose job is told "cancelled"', async () => {
  const { kick: running } = await kickInRun(lab, place, { seconds: 60 });
  const cancel = await kick('cancel');
  expect(cancel).toMatchObject({ exit: 0, stdout: expect.stringContaining('the run is being ended') });
  expect(outcomesOf(await running.result)).toEqual({ [agent]: 'cancelled' });
});

test('Puppet itself respects kick disable, and kick enables what kick disabled', async () => {
  const before = messageOn(lab, agent);
  await newMessage(lab, agent);
  expect((await kick('disable', '--reason', 'freeze', '--for', '1h')).exit).toBe(0);
  expect(byHand()).toMatch(/administratively disabled.*freeze/s);
  expect(messageOn(lab, agent)).toBe(before);
  expect((await kick('status')).stdout).toMatch(/disabled: 'freeze' by \S+@\S+ until /);
  expect((await kick('enable')).exit).toBe(0);
  byHand();
  expect(messageOn(lab, agent)).not.toBe(before);
});

test('what puppet agent --disable disabled needs --force, and its reason is kept', async () => {
  await puppetAgent(lab, agent, '--disable', 'by ops');
  expect((await kick('status')).stdout).toContain("disabled: 'by ops' by puppet agent --disable");
  const second = await kick('disable', '--reason', 'mine');
  expect(second).toMatchObject({ exit: 0, stdout: expect.stringContaining('already: by ops') });
  expect(JSON.parse(readFileSync(lock, 'utf8'))).toEqual({ disabled_message: 'by ops' });
  expect((await kick('enable')).exit).toBe(4);
  expect(existsSync(lock)).toBe(true);
  expect((await kick('enable', '--force')).exit).toBe(0);
  expect(existsSync(lock)).toBe(false);
});

test('puppet agent --enable undoes kick disable, and nothing of ours is left of it', async () => {
  await kick('disable', '--reason', 'freeze');
  await puppetAgent(lab, agent, '--enable');
  expect((await kick('status')).stdout).toContain(' idle;');
});

test('when the end has come the agent enables, and says so in its log', async () => {
  await kick('disable', '--reason', 'a moment', '--for', '2s');
  const line = await place.running.logged('enabled', ({ msg }) => msg.startsWith('enabled: the time'));
  expect(line).toMatchObject({ audit: 'enabled', reason: 'a moment' });
  expect(existsSync(lock)).toBe(false);
});

test('kick summary tells the counts and times of the real report', async () => {
  const summary = JSON.parse((await kick('summary', '--format', 'json')).stdout);
  expect(summary).toMatchObject({ hosts: 1, answered: 1, withRun: 1 });
  for (const metric of ['total', 'failed', 'changed', 'configRetrieval', 'totalTime', 'sinceLastRun']) {
    expect(summary.metrics[metric], metric).toMatchObject({ hosts: 1, min: expect.any(Number) });
  }
  expect(summary.metrics.total.min).toBeGreaterThan(5);
});
