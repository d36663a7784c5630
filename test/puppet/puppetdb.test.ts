/** The choice of hosts by a real PuppetDB, as the Puppet server, with nothing configured. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { parseFactCondition } from '../../src/conditions/fact-condition.ts';
import { ownPaths } from '../../src/config/identity.ts';
import { byFacts } from '../../src/controller/targeting/fact-choice.ts';
import { EMPTY_INVENTORY } from '../../src/controller/targeting/inventory.ts';
import { openPuppetDb } from '../../src/controller/targeting/puppetdb/client.ts';
import { nodeDatabase } from '../../src/controller/targeting/puppetdb/node-database.ts';
import { loadIdentity } from '../../src/pki/load-identity.ts';
import { sleep, systemClock } from '../../src/util/clock.ts';
import { nobody } from '../controller/choosing.ts';
import { CASES, FACTS } from '../controller/fact-cases.ts';
import { AGENTS } from './agents.ts';
import { kickCommand, useLab } from './harness.ts';
import { deactivateNode, replaceFacts } from './puppetdb-commands.ts';
import { compareByFacts, sampleFacts } from './puppetdb-facts.ts';
import { puppetAgent } from './runs.ts';

const lab = useLab();
const [good, bad] = AGENTS.puppetDb;
const names = AGENTS.puppetDb.map((agent) => lab.certnameOf(agent));
const [goodName = '', badName = ''] = names;
const home = join(lab.dir, 'controller-puppetdb');
const url = `https://localhost:${lab.puppetDbPort}`;

beforeAll(async () => {
  mkdirSync(join(home, 'etc'), { recursive: true });
  await lab.set(bad, 'fail_resource', true);
  for (const agent of [good, bad]) await puppetAgent(lab, agent, '--onetime', '--no-daemonize', '--no-splay');
  await puppetAgent(lab, good, '--onetime', '--no-daemonize', '--no-splay');
  // It stores what the server sends it in its own time.
  for (const [name, ...words] of [
    [goodName, '--class', 'lab'],
    [badName, '--class', 'lab'],
    [badName, '--last', 'failed'],
    [goodName, '--last', 'unchanged'],
  ] as const)
    while (!(await kickNodes(...words)).stdout.includes(name)) await sleep(500);
});

const kickNodes = (...args: string[]) =>
  kickCommand(home, 'nodes', '--puppet', lab.serverPuppet, '--expand', ...args);

/** The hosts of this file that `kick nodes` finds; others of the lab come and go. */
async function found(...args: string[]): Promise<string[]> {
  const { exit, stdout, stderr } = await kickNodes(...args);
  expect(stderr).toBe('');
  expect(exit).toBe(0);
  return stdout.split('\n').filter((name) => names.includes(name));
}

function configure(yaml: string): void {
  writeFileSync(join(home, 'etc', 'controller.yaml'), yaml);
}

test("PuppetDB is found by Puppet's own puppetdb.conf, and chooses hosts", async () => {
  configure('');
  expect((await found('--all')).sort()).toEqual([...names].sort());
  expect((await found('--class', 'lab')).sort()).toEqual([...names].sort());
  expect(await found('--class', 'lab', '--last', 'failed')).toEqual([badName]);
  expect(await found('--last', 'unchanged')).toEqual([goodName]);
  expect((await found('--last', 'stale', '--older-than', '1ms')).sort()).toEqual([...names].sort());
  expect(await found('--query', `nodes[certname]{ certname = "${goodName}" }`)).toEqual([goodName]);
  expect(await found(...names, '--fact', 'os.family=Debian', '--exclude', goodName)).toEqual([badName]);
});

test('a mask is matched against what PuppetDB knows where there is no inventory', async () => {
  configure('');
  expect((await found('agent*')).sort()).toEqual([...names].sort());
});

const sent = { ...FACTS, ...sampleFacts(10) };
const odd = ['backup@nas.lab', 'Upper.lab', 'a/b'];

test('conditions on facts choose the same hosts as the same facts in an inventory', async () => {
  const place = { url, identity: await serverIdentity() };
  for (const [name, facts] of Object.entries(sent)) await replaceFacts(place, name, facts);
  const { database } = await realDatabase();
  for (const [text, wanted] of CASES) {
    const { hosts } = await byFacts([parseFactCondition(text)], {
      context: { inventory: EMPTY_INVENTORY, sources: { ...nobody, database }, port: 1, warn: () => {} },
      from: undefined,
      everyone: () => Promise.reject(new Error('not asked here')),
    });
    const found = Object.keys(FACTS).filter((name) => hosts.has(name));
    expect(found, text).toEqual(wanted === '' ? [] : wanted.split(' ').map((name) => `${name}.x`));
  }
  await compareByFacts({ database, facts: sent, numRuns: 60 });
});

// Not os.release: Debian's next release has none that is a number ("forky/sid").
test("a real agent's facts are what Facter says: versions are text, counts are numbers", async () => {
  configure('');
  for (const text of [
    'os.family=Debian',
    'kernelmajversion>=2',
    'kernelmajversion<=99',
    'processors.count>0',
  ])
    expect(await found(goodName, '--fact', text), text).toEqual([goodName]);
  for (const text of ['kernelmajversion<1', 'kernelversion<1.9', 'processors.count<1', 'no.such~.'])
    expect((await kickNodes(goodName, '--fact', text)).exit, text).toBe(2);
});

test('conditions with and, or, not, and hosts counted by the value of a fact', async () => {
  configure('');
  const where = (expression: string) => found(...names, '--where', expression);
  expect((await where('os.family=Debian and not (processors.count<1)')).sort()).toEqual([...names].sort());
  expect(await where(`class(lab) and (kernel=none or os.family=Debian)`)).toHaveLength(2);
  expect((await kickNodes(...names, '--where', 'os.family=Debian and no.such=x')).exit).toBe(2);
  const counted = async (fact: string) => {
    const words = ['facts', fact, ...names, '--puppet', lab.serverPuppet, '--format', 'json'];
    const { exit, stdout, stderr } = await kickCommand(home, ...words);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    return stdout;
  };
  const families = await counted('os.family');
  expect(families).toContain('Debian');
  for (const name of names) expect(families).toContain(name);
});

test('a node that is deactivated is not chosen; a name that no agent can have is left out and told', async () => {
  const place = { url, identity: await serverIdentity() };
  await deactivateNode(place, 'a.x');
  for (const name of odd) await replaceFacts(place, name, { os: { family: 'Debian' } });
  const { database, warnings } = await realDatabase();
  const values = await database.factValues([['os', 'family']]);
  expect(values.has('a.x')).toBe(false);
  expect(values.get('c.x')).toEqual(['Debian']);
  expect(values.get('backup@nas.lab')).toEqual(['Debian']);
  expect(await database.active()).toEqual(expect.arrayContaining(['backup@nas.lab', goodName]));
  expect(warnings).toEqual([expect.stringMatching(/2 names are no certnames and left out: /)]);
  for (const name of [...odd, ...Object.keys(sent)]) await deactivateNode(place, name);
});

test('no value leaves its literal, whatever is in it', async () => {
  const { database } = await realDatabase();
  // PostgreSQL cannot store NUL, so no fact can have it.
  const text = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((one) => !one.includes('\0'));
  const nasty = fc.constantFrom(
    '"',
    '\\',
    '\\"',
    '" or certname ~ ".',
    '\n',
    '}',
    '{',
    "'",
    '\u2028',
    '$1',
    '--',
  );
  const value = fc.tuple(text, nasty, text).map((parts) => parts.join(''));
  await fc.assert(
    fc.asyncProperty(value, async (one) => {
      expect(await database.byClass(one)).toEqual([]);
      expect((await database.factValues([[one]], [one])).size).toBe(0);
    }),
    { numRuns: 40 },
  );
});

test('addresses of hosts come from a fact', async () => {
  configure('address_from: facts.networking.ip\nport: 9999\n');
  const { stdout } = await kickCommand(
    home,
    'nodes',
    '--puppet',
    lab.serverPuppet,
    '--format',
    'json',
    goodName,
  );
  const { nodes } = JSON.parse(stdout) as { nodes: { certname: string; host: string; port: number }[] };
  expect(nodes).toEqual([
    {
      certname: goodName,
      host: expect.stringMatching(/^[0-9a-f.:]+$/),
      port: 9999,
      reached: expect.stringContaining('port 9999'),
    },
  ]);
});

test('an error of PuppetDB is shown in its own words, with the place; nothing is sent', async () => {
  configure('');
  const run = ['run', '--puppet', lab.serverPuppet, '--query', 'nodes[certname]{ certname = }'];
  const { exit, stdout, stderr } = await kickCommand(home, ...run);
  expect(exit).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain('it answered 400:');
  expect(stderr).toMatch(/PQL parse error at line 1, column \d+/);
  expect(stderr).toContain('nodes[certname]{ certname = }\n');
});

test('a PuppetDB that is down is an error with its URL', async () => {
  configure('puppetdb: {urls: ["https://localhost:1"]}\n');
  const { exit, stderr } = await kickCommand(home, 'nodes', '--puppet', lab.serverPuppet, '--all');
  expect(exit).toBe(2);
  expect(stderr).toContain('ask PuppetDB: https://localhost:1: connection refused');
});

test('the second URL is asked where the first cannot be reached', async () => {
  configure(`puppetdb: {urls: ["https://localhost:1", "${url}"]}\n`);
  expect(await found('--last', 'failed', badName)).toEqual([badName]);
});

test("without PuppetDB --all are the hosts whose certificates Puppet's CA has signed", async () => {
  configure('puppetdb: false\n');
  const { stdout } = await kickCommand(home, 'nodes', '--puppet', lab.serverPuppet, '--all', '--expand');
  expect(stdout.split('\n')).toEqual(expect.arrayContaining([...names, 'puppet.lab']));
});

async function realDatabase() {
  const identity = await serverIdentity();
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  const puppetDb = openPuppetDb({ urls: [url], identity: async () => identity });
  return { database: nodeDatabase(puppetDb, { clock: systemClock, warn }), warnings };
}

async function serverIdentity() {
  const ssl = lab.serverSsl;
  expect(readFileSync(join(ssl, 'crl.pem'), 'utf8')).toContain('X509 CRL');
  return loadIdentity(ownPaths(ssl, 'puppet.lab'), { now: Date.now() });
}
