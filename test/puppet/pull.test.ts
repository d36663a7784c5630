/** Pull mode with real Puppet: drift from the last pushed catalog is repaired, and new code waits for a kick. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { AGENTS } from './agents.ts';
import { kickCommand, type LogLine, outcomesOf, type Place, placeOf, until, useLab } from './harness.ts';
import { heldRunOf, hold, letGo, messageOn, newMessage, puppetByHand } from './runs.ts';

const lab = useLab();
const [agent] = AGENTS.pull;
const home = join(lab.dir, `controller-${agent}`);
const managed = join(lab.dirOf(agent), 'managed', 'message');
const BY_THE_CLOCK = 'pull: {runinterval: 10s, catalog: pushed}\n';
/** Its runs come when they are asked for. */
const PULL = 'pull: {runinterval: 1h, catalog: pushed}\n';
let place: Place;

beforeAll(async () => {
  place = await placeOf(lab, agent, { yaml: PULL });
});

afterAll(() => place?.running.end('SIGTERM'));

const isScheduled = ({ audit, by }: LogLine) => audit === 'outcome' && String(by).startsWith('schedule@');

/** How the next scheduled run ends, begun now. */
async function runNow(): Promise<LogLine> {
  const from = place.running.log.length;
  place.running.signal('SIGUSR1');
  const isOurs = ({ audit, by }: LogLine) => audit === 'accepted' && String(by).startsWith('schedule@');
  const { job } = await place.running.logged('a request of the schedule', isOurs, from);
  return place.running.logged('its outcome', (line) => isScheduled(line) && line['job'] === job, from);
}

const status = async () =>
  (await kickCommand(home, 'status', place.certname, '--puppet', lab.serverPuppet)).stdout;

function reconfigure(yaml: string): Promise<LogLine> {
  const from = place.running.log.length;
  writeFileSync(join(lab.dirOf(agent), 'kick', 'etc', 'agent.yaml'), yaml);
  place.running.signal('SIGHUP');
  return place.running.logged('the new policy', ({ msg }) => msg === 'policy reloaded', from);
}

test('a scheduled run repairs drift from the pushed catalog, while new code waits for a kick', async () => {
  const pushed = messageOn(lab, agent);
  const waiting = await newMessage(lab, agent);
  writeFileSync(managed, 'somebody was here\n');

  expect(await runNow()).toMatchObject({ outcome: 'changed' });

  expect(messageOn(lab, agent)).toBe(pushed);
  await expect
    .poll(status)
    .toMatch(/last run changed \(drift repaired, cached catalog\) .* ago; next run at /);
  const kick = await place.controller.kick(place.certname);
  expect(outcomesOf(kick)).toEqual({ [agent]: 'changed' });
  expect(messageOn(lab, agent)).toBe(waiting);
});

test('the schedule begins runs by the clock', async () => {
  const next = place.running.logged('a scheduled run', isScheduled);
  await reconfigure(BY_THE_CLOCK);
  expect(await next).toMatchObject({ outcome: expect.stringMatching(/^(un)?changed$/) });
  await reconfigure(PULL);
});

test('a kick postpones the schedule, and one of some tags says what it leaves behind', async () => {
  const before = await place.controller.kick(place.certname);
  expect(before.exit).toBe(0);
  const told = JSON.parse(
    (await kickCommand(home, 'status', place.certname, '--format', 'json', '--puppet', lab.serverPuppet))
      .stdout,
  );
  expect(told[0].pull.nextAt - told[0].lastRun.at).toBeGreaterThan(1_700_000);
  const tagged = await place.controller.kick(place.certname, '--tags', 'nothing_has_it');
  expect(tagged.stdout).toContain('scheduled runs will apply all of it, not only these tags');
});

test('pull.noop only reports drift; a run by hand and the schedule get on with each other', async () => {
  await reconfigure('pull: {runinterval: 1h, catalog: pushed, noop: true}\n');
  writeFileSync(managed, 'somebody was here again\n');
  expect(await runNow()).toMatchObject({ outcome: 'would-change' });
  // To Node the signal means that.
  expect(place.running.log.map(({ msg }) => msg).join('\n')).not.toContain('Debugger');

  expect(messageOn(lab, agent)).toBe('somebody was here again');
  expect(await status()).toMatch(/\(noop, drift found, cached catalog\)/);
  await reconfigure(PULL);
  // By hand, as cron would: the schedule waits for the lock that Puppet itself would not wait for, and neither fails.
  await hold(lab, agent);
  const byHand = puppetByHand(lab, agent, { detached: true });
  await until('its lock', () => heldRunOf(lab, agent));
  const isThere = place.running.logged('the request', ({ audit }) => audit === 'accepted');
  const scheduled = runNow();
  await isThere;
  await letGo(lab, agent);
  await until('the run by hand', () => byHand.exitCode !== null);
  expect(byHand.exitCode).toBe(0);
  expect(await scheduled).toMatchObject({ outcome: expect.stringMatching(/^(un)?changed$/) });
});

test("beside Puppet's own daemon neither schedule fails, and kick doctor names both", async () => {
  // Longer than a run takes on a busy machine: else the daemon begins again at once, and nobody else gets the lock.
  const daemon = spawn(
    lab.puppetOf(agent),
    ['agent', '--no-daemonize', '--verbose', '--color=false', '--logdest', 'console', '--runinterval', '40'],
    { env: { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  onTestFinished(() => void daemon.kill('SIGKILL'));
  let said = '';
  for (const stream of [daemon.stdout, daemon.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  const applied = () => said.split('Applied catalog').length - 1;
  const first = await runNow();
  const second = await runNow();
  await until('two runs of the daemon', () => applied() >= 2);

  // Busy: the daemon's run had the lock for as long as the schedule waits.
  for (const one of [first, second]) expect(one['outcome']).toMatch(/^(changed|unchanged|busy)$/);
  // Puppet asks ps for the name of the lock's holder, which may have ended meanwhile (puppet/util/pidlock.rb): its own fault.
  expect(said).not.toMatch(
    /^Error: (?!Facter|Could not run Puppet configuration client: Execution of 'ps )/m,
  );
  const doctor = await kickCommand(home, 'doctor', place.certname, '--puppet', lab.serverPuppet);
  expect(doctor.stdout).toContain(
    `two schedules: kick's own (pull) and puppet agent as a daemon (pid ${daemon.pid})`,
  );
  expect(doctor.stdout).not.toContain('Puppet Server');
  expect(doctor.exit).toBe(4);
});
