/** What hosts tell of themselves, and switching Puppet off and on, for real Puppet and by real Puppet. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { AGENTS } from './agents.ts';
import { kickCommand, kickInRun, outcomesOf, type Place, placeOf, until, useLab } from './harness.ts';
import { calm, heldRunOf, hold, letGo, messageOn, newMessage, puppetAgent, puppetByHand } from './runs.ts';

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
    // In a container Facter says on stderr that it may not read /proc/1/environ.
    const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
    const args = ['agent', '--test', '--color=false'];
    return execFileSync(lab.puppetOf(agent), args, { encoding: 'utf8', stdio });
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
  const { puppet, kick: running } = await kickInRun(lab, place);
  const during = await kick('status');
  expect(during.stdout).toMatch(
    new RegExp(`applying a catalog for [\\dms ]+ \\(pid ${puppet.pid}, job [0-9a-f]{8}, by \\S+@\\S+\\)`),
  );
  await letGo(lab, agent);
  await running.result;
  const idle = await kick('status');
  expect(idle.stdout).toMatch(/ idle; last run (un)?changed \d+ (second|minute)s? ago$/m);
  expect(idle.stdout).toContain('1 host: 1 idle');

  await hold(lab, agent);
  const byHand = once(puppetByHand(lab, agent), 'exit');
  const hand = await until('the run by hand', () => heldRunOf(lab, agent));
  expect((await kick('status')).stdout).toContain(`(pid ${hand.pid}, puppet agent, not by kick)`);
  const cancel = await kick('cancel');
  expect(cancel.exit).toBe(4);
  expect(cancel.stdout).toMatch(/none of kick's, and it is left alone: pid \d+/);
  await letGo(lab, agent);
  await byHand;
});

test('kick cancel ends a run of Puppet, whose job is told "cancelled"', async () => {
  const { kick: running } = await kickInRun(lab, place);
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
  await kick('disable', '--reason', 'a moment', '--for', '1h');
  const disabled = JSON.parse(readFileSync(lock, 'utf8')) as { kick: { until: number } };
  expect(disabled.kick.until).toBeGreaterThan(Date.now());
  const enabled = place.running.logged('enabled', ({ msg }) => msg.startsWith('enabled: the time'));
  // As if the hour were over.
  writeFileSync(
    lock,
    JSON.stringify({ ...disabled, kick: { ...disabled.kick, until: Date.now() - 1, sum: undefined } }),
  );
  expect(await enabled).toMatchObject({ audit: 'enabled', reason: 'a moment' });
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
