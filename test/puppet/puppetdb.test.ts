/** The choice of hosts by a real PuppetDB, as the Puppet server, with nothing configured. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { parseFactCondition } from '../../src/controller/fact-condition.ts';
import { nodeDatabase } from '../../src/controller/node-database.ts';
import { openPuppetDb } from '../../src/controller/puppetdb.ts';
import { loadIdentity } from '../../src/pki/load-identity.ts';
import { systemClock } from '../../src/util/clock.ts';
import { AGENTS } from './agents.ts';
import { kickCommand, puppetAgent, useLab } from './harness.ts';

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
}, 180_000);

/** The hosts of this file that `kick nodes` finds; others of the lab come and go. */
async function found(...args: string[]): Promise<string[]> {
  const { exit, stdout, stderr } = await kickCommand(
    home,
    'nodes',
    '--puppet',
    lab.serverPuppet,
    '--expand',
    ...args,
  );
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

test('facts are compared as what they are: text, numbers, booleans, lists', async () => {
  const identity = await serverIdentity();
  const database = nodeDatabase(openPuppetDb({ urls: [url], identity: async () => identity }), systemClock);
  const holds = async (text: string) =>
    (await database.byFacts([parseFactCondition(text)])).includes(goodName);
  const count = String((await database.factOf(['os', 'family'], [goodName])).get(goodName));
  expect(count).toBe('Debian');
  for (const text of [
    'os.family=Debian',
    'os.family~^Deb',
    'os.family!=RedHat',
    'no.such.fact!=x',
    'processors.count>0',
    'processors.count<=4096',
    'processors.models[0]~.',
    'os."family"=Debian',
    'trusted.certname!=x',
  ]) {
    expect(await holds(text), text).toBe(true);
  }
  for (const text of ['os.family=RedHat', 'os.family!=Debian', 'processors.count<0', 'no.such.fact=x']) {
    expect(await holds(text), text).toBe(false);
  }
  const [{ value } = { value: undefined }] = await openPuppetDb({
    urls: [url],
    identity: async () => identity,
  }).query(`facts[value]{ certname = "${goodName}" and name = "processors" }`);
  const processors = value as { count: number };
  expect(await holds(`processors.count=${processors.count}`)).toBe(true);
});

test('no value leaves its literal, whatever is in it', { timeout: 60_000 }, async () => {
  const identity = await serverIdentity();
  const database = nodeDatabase(openPuppetDb({ urls: [url], identity: async () => identity }), systemClock);
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
      const condition = { text: '', path: ['os', 'family'], comparison: '=' as const, value: one };
      expect(await database.byFacts([condition])).toEqual([]);
      expect(await database.byClass(one)).toEqual([]);
    }),
    { numRuns: 60 },
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
  expect(nodes).toEqual([{ certname: goodName, host: expect.stringMatching(/^[0-9a-f.:]+$/), port: 9999 }]);
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

async function serverIdentity() {
  const ssl = lab.serverSsl;
  expect(readFileSync(join(ssl, 'crl.pem'), 'utf8')).toContain('X509 CRL');
  return loadIdentity(
    {
      key: join(ssl, 'private_keys', 'puppet.lab.pem'),
      certificate: join(ssl, 'certs', 'puppet.lab.pem'),
      ca: join(ssl, 'certs', 'ca.pem'),
      crl: join(ssl, 'crl.pem'),
    },
    { now: Date.now() },
  );
}
