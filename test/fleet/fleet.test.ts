/** The simulated fleet, and what the real kick says of each thing that can be wrong with a host. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { drawOutcome, drawTime, randomFrom } from '../../src/cli/demo/run-shape.ts';
import { ownPaths } from '../../src/config/identity.ts';
import type { HostResult } from '../../src/controller/jobs/job.ts';
import { runJob } from '../../src/controller/rollout/run-job.ts';
import { loadIdentity } from '../../src/pki/load-identity.ts';
import { httpsSender } from '../../src/transport/https/client/client.ts';
import { systemClock } from '../../src/util/clock.ts';
import { uuidv7 } from '../../src/util/uuid.ts';
import { FAULTS, type Fault, parseFault, spreadFaults } from '../../tools/fleet/faults.ts';
import { optionsOf } from '../../tools/fleet/options.ts';
import { addressOf, DEFAULTS, FLEET_CONTROLLER } from '../../tools/fleet/plan.ts';
import { parseOutcomes, parseTimes } from '../../tools/fleet/shape.ts';
import { type Fleet, startFleet } from '../../tools/fleet/start-fleet.ts';
import { freePort } from '../../tools/loopback.ts';
import { ROOT } from '../../tools/program.ts';
import { throwawayFolder } from '../../tools/throwaway-folder.ts';
import { ended } from '../support/kick.ts';
import { kickHere } from '../support/kick-here.ts';

const HOSTS = 60;
const faults = Object.keys(FAULTS) as Fault[];
const keep = throwawayFolder();
let fleet: Fleet;
let port: number;

beforeAll(async () => {
  port = await freePort(addressOf(0));
  fleet = await startFleet({
    ...DEFAULTS,
    ...{ hosts: HOSTS, port, keep: keep.path },
    shape: {
      times: { kind: 'fixed', ms: 300 },
      outcomes: parseOutcomes('unchanged=8,changed=1,failed=1'),
      logLines: 5,
      seed: 7,
    },
    faults: faults.map((fault) => ({ fault, count: 1 })),
  });
});

afterAll(async () => {
  await fleet.stop();
  keep.remove();
  expect(existsSync(fleet.folder)).toBe(false);
});

interface Document {
  hosts: (Pick<HostResult, 'certname' | 'outcome' | 'message'> & { refusal?: { code: string } })[];
}

async function kick(...words: string[]): Promise<{ code: number | null; hosts: Document['hosts'] }> {
  const { out, err, code } = await kickHere([...words, ...fleet.kickArgs(), '--format', 'json']);
  if (out === '') throw new Error(err);
  return { code, hosts: (JSON.parse(out) as Document).hosts };
}

/** One host with a fault, by a sender whose patience fits a test. */
async function kickWith(fault: Fault, patience: { silenceMs?: number; connectTimeoutMs?: number }) {
  const [certname = ''] = [...fleet.faults].find(([, one]) => one === fault) ?? [];
  const pki = join(fleet.folder, 'pki', 'p256');
  fleet.kickArgs(); // writes the folder
  const identity = await loadIdentity(ownPaths(pki, FLEET_CONTROLLER), { now: Date.now() });
  const { silenceMs, connectTimeoutMs } = patience;
  const sender = httpsSender({
    identity,
    ...(connectTimeoutMs !== undefined && { connectTimeoutMs }),
    ...(silenceMs !== undefined && { limits: { silenceMs } }),
  });
  const job = {
    ...{ id: uuidv7(Date.now()), controller: FLEET_CONTROLLER, action: { op: 'run' } as const },
    by: { user: 'tester', uid: 0, host: 'here' },
    targets: [{ certname, ...fleet.addressOf(certname) }],
    concurrency: 1,
  };
  const retries: string[] = [];
  const { results } = await runJob(job, {
    caller: async () => ({ sender, identity }),
    ...{ clock: systemClock, lostAfterMs: 5000, signal: new AbortController().signal },
    emit: (event) => event.type === 'host-retry' && retries.push(event.message),
  });
  sender.close();
  return { result: results[0], retries };
}

test('hosts without a fault run, and end in the mix that was asked for', async () => {
  const { code, hosts } = await kick('@well', '--concurrency', '30');
  expect(hosts).toHaveLength(HOSTS - faults.length);
  const unchanged = hosts.filter(({ outcome }) => outcome === 'unchanged');
  expect([...new Set(hosts.map(({ outcome }) => outcome))].sort()).toEqual([
    'changed',
    'failed',
    'unchanged',
  ]);
  expect(unchanged.length).toBeGreaterThan(HOSTS / 2);
  expect(code).toBe(1);
});

test('its agents are of this version, well, and remember how their runs ended', async () => {
  const told = async (...words: string[]) => (await kickHere([...words, ...fleet.kickArgs()])).out;
  expect((await kick('@well')).hosts).toHaveLength(HOSTS - faults.length);
  const doctor = await told('doctor', '@well');
  expect(doctor).toMatch(
    /^kick \S+ on \d+\nthe first certificate .*\nthe first CRL .*\n\d+ hosts: \d+ well\n$/,
  );
  const status = await told('status', '@well');
  expect(status.match(/idle; last run (unchanged|changed|failed) /g)).toHaveLength(HOSTS - faults.length);
  const summary = await told('summary', '@well');
  expect(summary).toContain(`latest runs of ${HOSTS - faults.length} hosts`);
  expect(summary).not.toMatch(/not told|NaN|undefined/);
  // Nothing listens there.
  expect(await told('summary', '@refuse')).toBe('0 of 1 host answered; there is no report of a run\n');
});

test.each<[Fault, string, RegExp]>([
  ['refuse', 'unreachable', /refused: kick agent is not running/],
  ['reset', 'unreachable', /was closed during the TLS handshake/],
  ['garbage', 'unreachable', /does not speak TLS 1\.3 as kick agent does/],
  ['skew', 'refused', /its clock is 1h 00m behind ours/],
  ['slow', 'ended', /^$/],
  ['break', 'ended', /^$/],
])('kick says of a host with the fault "%s": %s', async (fault, outcome, message) => {
  const { hosts } = await kick(`@${fault}`, '--lost-after', '30s');
  expect(hosts).toHaveLength(1);
  const [host] = hosts;
  if (outcome === 'ended') expect(['unchanged', 'changed', 'failed']).toContain(host?.outcome);
  else expect(host).toMatchObject({ outcome, message: expect.stringMatching(message) });
});

test('a host that never answers the handshake is unreachable when the time is over', async () => {
  const { result } = await kickWith('hang-handshake', { connectTimeoutMs: 3000 });
  expect(result).toMatchObject({
    outcome: 'unreachable',
    message: expect.stringContaining('is open but does not answer within 3s'),
  });
});

test('a host that falls silent in mid-stream is asked again until it is lost', async () => {
  const { result, retries } = await kickWith('hang-stream', { silenceMs: 300 });
  expect(result).toMatchObject({ outcome: 'lost', message: expect.stringContaining('no contact for') });
  expect(retries[0]).toContain('nothing heard for 300ms');
});

test('a host that talks nonsense is asked again, since the request may have arrived, until it is lost', async () => {
  const { result } = await kickWith('nonsense', {});
  expect(result).toMatchObject({
    outcome: 'lost',
    message: expect.stringContaining('a line that is no event'),
  });
});

test('startFleet fails in words when its addresses are taken', async () => {
  await expect(
    startFleet({ ...DEFAULTS, hosts: 2, processes: 1, port, keep: keep.path }),
  ).rejects.toMatchObject({
    code: 'config',
    message: expect.stringContaining('EADDRINUSE'),
  });
});

test('the same seed makes the same fleet', () => {
  const draw = (seed: number) => {
    const random = randomFrom(seed);
    const outcomes = parseOutcomes('unchanged=1,changed=1');
    return Array.from({ length: 20 }, () => [
      drawTime(parseTimes('1s-3s'), random),
      drawOutcome(outcomes, random),
    ]);
  };
  expect(draw(3)).toEqual(draw(3));
  expect(draw(3)).not.toEqual(draw(4));
  const spread = spreadFaults([parseFault('refuse=10%'), parseFault('slow=2')], 50, 1);
  expect(spread.size).toBe(7);
  expect(spreadFaults([parseFault('refuse=10%'), parseFault('slow=2')], 50, 1)).toEqual(spread);
});

test.each([
  [['--hosts', '0'], '--hosts: "0" is not a number from 1 to'],
  [['--hosts', '1e4'], '--hosts: "1e4" is not a number'],
  [['--time', 'soon'], '--time: "soon" is not a duration'],
  [['--time', '3s-1s'], '--time: "3s-1s" is not a range'],
  [['--outcomes', 'fine=3'], '"fine=3" is not an outcome with its weight'],
  [['--outcomes', 'failed=0'], 'gives every outcome the weight 0'],
  [['--fault', 'fire=1'], '"fire=1" is not a fault with its share'],
  [['--fault', 'slow=2.5'], '"slow=2.5" is not a fault'],
  [['--fault', 'refuse=101%'], 'is not a fault with its share'],
  [['--controller-key', 'dsa'], '"dsa" is not one of'],
  [['--colour'], "Unknown option '--colour'"],
  [['web1'], 'Unexpected argument'],
])('npm run fleet %j: bad input is an error of usage', (words, message) => {
  expect(() => optionsOf(words)).toThrow(
    expect.objectContaining({ code: 'usage', message: expect.stringContaining(message) }),
  );
});

test('npm run fleet with more faults than hosts is exit 2', async () => {
  const words = ['--hosts', '3', '--fault', 'refuse=4'];
  const program = ['--import', 'tsx', join(ROOT, 'tools', 'fleet', 'fleet.ts')];
  const { err, code } = await ended(execFile(process.execPath, [...program, ...words]));
  expect(err).toContain('4 faults for 3 hosts');
  expect(code).toBe(2);
});
