/** A broker that loses, repeats, reorders and changes messages: a job neither lies nor hangs, and nothing can be read there. */
import { expect, test } from 'vitest';
import { type Carried, type Meddle, type NatsProxy, startNatsProxy } from '../../support/nats-proxy.ts';
import { startNats } from '../../support/nats-server.ts';
import { type Parties, realSite } from '../../support/real-site.ts';

const HOSTS = 6;
const SECRET = 'a-line-that-nobody-may-read';

async function siteBehind() {
  let proxy: NatsProxy | undefined;
  const nats = async (parties: Parties) => {
    const { port } = await startNats({ ...parties, edit: () => 'listen: 127.0.0.1:PORT\n' });
    proxy = await startNatsProxy(port);
    return { address: proxy.address, tls: false };
  };
  const script = `echo begin >> $JOURNAL; for i in 1 2 3 4 5 6 7 8 9; do echo "${SECRET} $i"; done; echo end >> $JOURNAL`;
  const site = await realSite(HOSTS, () => script, { nats });
  if (proxy === undefined) throw new Error('no proxy');
  return { site, proxy };
}

/** Applies `how` to one message in so many, in a fixed sequence. */
function sometimes(every: number, how: Meddle): Meddle {
  let count = 0;
  return (message) => {
    count += 1;
    return count % every === 0 ? how(message) : [message];
  };
}

function reordering(every: number): Meddle {
  let held: Carried | undefined;
  return sometimes(every, (message) => {
    const out = held === undefined ? [] : [message, held];
    held = held === undefined ? message : undefined;
    return out;
  });
}

const flipped: Meddle = ({ head, payload }) => {
  const changed = Buffer.from(payload);
  const at = changed.byteLength - 1;
  if (at >= 0) changed[at] = (changed[at] ?? 0) ^ 1;
  return [{ head, payload: changed }];
};

const meddlers: [string, () => Meddle][] = [
  ['loses', () => sometimes(23, () => [])],
  ['repeats', () => sometimes(23, (message) => [message, message])],
  ['reorders', () => reordering(11)],
  ['changes', () => sometimes(23, flipped)],
  [
    'sends to the wrong host',
    () => sometimes(17, ({ head, payload }) => [{ head: head.replace(/web\d/, 'web1'), payload }]),
  ],
];

test.each(meddlers)(
  'a broker that %s messages: each host runs once at most, and what is said of it is true',
  async (_, how) => {
    const { site, proxy } = await siteBehind();
    proxy.meddle(how());
    const { out } = await site.kick(
      '--all',
      '--format',
      'json',
      '--lost-after',
      '20s',
      '--connect-timeout',
      '3s',
      '--timeout',
      '60s',
    );
    const { hosts } = JSON.parse(out) as { hosts: { certname: string; outcome: string }[] };
    expect(hosts).toHaveLength(HOSTS);
    for (const { certname, outcome } of hosts) {
      const journal = site.journal(certname);
      expect(journal.filter((word) => word === 'begin').length).toBeLessThanOrEqual(1);
      if (outcome === 'unchanged') expect(journal).toEqual(['begin', 'end']);
      if (outcome === 'unreachable') expect(journal).toEqual([]);
      expect(['unchanged', 'unreachable', 'lost', 'unknown']).toContain(outcome);
    }
    expect(proxy.seen().includes(SECRET)).toBe(false);
  },
);

test('a broker that only carries lets everything through, and can read none of it', async () => {
  const { site, proxy } = await siteBehind();
  const { code, out } = await site.kick('--all', '--verbose');
  expect(code).toBe(0);
  expect(out).toContain(SECRET);
  const seen = proxy.seen();
  expect(seen.includes('kick.v1.dial')).toBe(true);
  expect(seen.includes(SECRET)).toBe(false);
});
