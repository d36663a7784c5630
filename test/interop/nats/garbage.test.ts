/**
 * Random bytes to every subject that an agent and a controller listen on, at a broker that lets anybody: nobody crashes, memory
 * stays bounded, nothing runs twice, and the next kick works. KICK_TEST_MESSAGES=100000 tries for longer.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { BrokerConnection } from '../../../src/transport/nats/connection.ts';
import { heapInUse } from '../../support/heap.ts';
import { startNats } from '../../support/nats-server.ts';
import { type Parties, realSite, SITE_CONTROLLER } from '../../support/real-site.ts';
import { connectTo, controller, soon } from './way.ts';

const MESSAGES = Number(process.env['KICK_TEST_MESSAGES'] ?? 4000);
const TOKEN = SITE_CONTROLLER.replaceAll('.', '~');

/** Bytes that may stay in use, whatever was sent: the streams that a listener lets wait, and their windows. */
const MOST_BYTES = 64 << 20;

/** A fixed sequence: what it finds, it finds again. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

type Dice = ReturnType<typeof dice>;

function randomBytes(roll: Dice, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => roll(256)));
}

/** Nothing, noise, what begins as a message of a stream does, and as much as a message may have. */
function payload(roll: Dice): Buffer {
  const kind = roll(10);
  if (kind === 0) return Buffer.alloc(0);
  if (kind < 4) return randomBytes(roll, roll(200));
  if (kind === 4) return Buffer.alloc(40_000, roll(256));
  const head = Buffer.from([roll(8), 0, 0, 0, roll(4)]);
  return Buffer.concat([head, kind === 5 ? Buffer.alloc(32 << 10, roll(256)) : randomBytes(roll, roll(40))]);
}

async function openSite() {
  let address = '';
  const nats = async (parties: Parties) => {
    ({ address } = await startNats({ ...parties, edit: () => 'listen: 127.0.0.1:PORT\n' }));
    return { address, tls: false };
  };
  const site = await realSite(3, () => 'echo begin >> $JOURNAL; held; echo end >> $JOURNAL', { nats });
  site.release();
  const { link } = connectTo(address, controller, { tls: false });
  await soon(link);
  return { site, link };
}

/** Sends in turns, so that whoever shares this process can read. */
async function flood(link: BrokerConnection, send: (roll: Dice) => void, seed: number): Promise<void> {
  const roll = dice(seed);
  for (let count = 1; count <= MESSAGES; count++) {
    send(roll);
    if (count % 50 === 0) await nextTurn();
  }
  await soon(link);
}

async function kickAll(site: Awaited<ReturnType<typeof realSite>>) {
  const { out } = await site.kick('--all', '--format', 'json', '--lost-after', '60s', '--timeout', '5m');
  return JSON.parse(out) as { hosts: { certname: string; outcome: string }[] };
}

test('agents: noise, streams that are never used, questions that are none', async () => {
  const { site, link } = await openSite();
  await kickAll(site);
  let answers = 0;
  link.subscribe('kick.v1.down.>', () => {
    answers += 1;
  });
  const before = heapInUse();
  const send = (roll: Dice) => {
    const name = site.names[roll(site.names.length)] ?? '';
    const tail = `${TOKEN}.${roll(3)}.${roll(1000)}.${name}`;
    const reply = [`kick.v1.down.${tail}`, `kick.v1.up.${tail}`, 'x', undefined][roll(4)];
    const subjects = [`dial.${TOKEN}.${name}`, `dial.x.${name}`, `up.${tail}`, `who.${TOKEN}`];
    link.publish(`kick.v1.${subjects[roll(subjects.length)]}`, payload(roll), reply);
  };
  await flood(link, send, 1);
  const { hosts } = await kickAll(site);
  expect(hosts.map(({ outcome }) => outcome)).toEqual(['unchanged', 'unchanged', 'unchanged']);
  expect(answers).toBeGreaterThan(MESSAGES / 20);
  expect(heapInUse() - before).toBeLessThan(MOST_BYTES);
  for (const name of site.names) expect(site.journal(name)).toEqual(['begin', 'end', 'begin', 'end']);
});

test('a controller, in the middle of a job: every outcome is true, and the next kick works', async () => {
  const { site, link } = await openSite();
  const streams = new Set<string>();
  link.subscribe('kick.v1.down.>', ({ subject }) => streams.add(subject));
  site.hold();
  const before = heapInUse();
  const kicked = kickAll(site);
  await expect.poll(() => site.names.every((name) => site.journal(name).length > 0)).toBe(true);
  const send = (roll: Dice) => {
    const name = site.names[roll(site.names.length)] ?? '';
    const seen = [...streams].slice(-9);
    const [, , , , session = '0'] = (seen[0] ?? '').split('.');
    const subjects = [...seen, `kick.v1.down.${TOKEN}.${session}.${roll(1000)}.${name}`];
    subjects.push(`kick.v1.answer.${TOKEN}.${session}.${name}`, `kick.v1.here.${name}`);
    link.publish(subjects[roll(subjects.length)] ?? '', payload(roll));
  };
  await expect.poll(() => streams.size).toBeGreaterThanOrEqual(site.names.length);
  await flood(link, send, 2);
  site.release();
  const { hosts } = await kicked;
  for (const { certname, outcome } of hosts) {
    expect(['unchanged', 'lost', 'unknown']).toContain(outcome);
    if (outcome === 'unchanged') expect(site.journal(certname)).toEqual(['begin', 'end']);
  }
  const next = await kickAll(site);
  expect(next.hosts.map(({ outcome }) => outcome)).toEqual(['unchanged', 'unchanged', 'unchanged']);
  expect(heapInUse() - before).toBeLessThan(MOST_BYTES);
  for (const name of site.names) expect(site.journal(name)).toEqual(['begin', 'end', 'begin', 'end']);
});
