/** kick nats config: what it writes is valid for a real nats-server, and --check finds what one lacks. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mintCa } from '../../../tools/mint/mint-ca.ts';
import { kickHere } from '../../support/kick-here.ts';
import { tempFolder } from '../../support/temp.ts';

const CONTROLLER = 'puppet.example.com';
const ca = mintCa();

interface SiteOptions {
  hosts?: readonly string[];
  certname?: string;
  /** Of controller.yaml, or of agent.yaml. */
  yaml?: object;
  file?: 'controller.yaml' | 'agent.yaml';
}

function siteOf({ hosts = [], certname = CONTROLLER, yaml = {}, file = 'controller.yaml' }: SiteOptions) {
  const folder = tempFolder();
  const [pki, etc] = [join(folder, 'pki'), join(folder, 'etc')];
  ca.write(pki, ca.issue(certname));
  ca.write(pki, ca.issue('nats1.example.com', { role: 'agent' }));
  mkdirSync(etc);
  writeFileSync(join(etc, 'inventory.yaml'), JSON.stringify({ targets: hosts }));
  writeFileSync(join(etc, file), JSON.stringify(yaml));
  const env = {
    ...{ KICK_CONFIG_DIR: etc, KICK_STATE_DIR: join(folder, 'state'), KICK_PKI_DIR: pki },
    KICK_CERTNAME: certname,
  };
  return { folder, kick: (...words: string[]) => kickHere(['nats', 'config', ...words], { env }) };
}

function isValid(folder: string, text: string): void {
  const file = join(folder, 'nats.conf');
  writeFileSync(file, text);
  const { status, stderr } = spawnSync('nats-server', ['-t', '-c', file], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
}

/** An index as `kick pki` keeps it. */
function signedByKick(folder: string): void {
  const one = { role: 'agent', serial: 'A1', notAfter: 4_000_000_000_000 };
  const certificates = [
    { ...one, name: 'db1.example.com' },
    { ...one, name: 'a..example.com' },
    { ...one, name: 'gone.example.com', revokedAt: 1 },
    { ...one, name: 'web2.example.com', revokedAt: 1 },
  ];
  mkdirSync(join(folder, 'pki', 'ca'));
  const index = { subject: ['x'], crlNumber: 1, certificates };
  writeFileSync(join(folder, 'pki', 'ca', 'index.json'), JSON.stringify(index));
}

test('the configuration is valid, names every host once, and says where they are from', async () => {
  const { folder, kick } = siteOf({ hosts: ['web1.example.com', 'web2.example.com'] });
  signedByKick(folder);
  const { code, out, err } = await kick(
    '--broker',
    'nats1.example.com',
    '--controller',
    'deploy.example.com',
  );
  expect(code).toBe(0);
  isValid(folder, out);
  expect([...out.matchAll(/\{user: "([^"]+)"/g)].map(([, name]) => name)).toEqual([
    ...[CONTROLLER, 'deploy.example.com', 'db1.example.com', 'web1.example.com'],
  ]);
  expect(out).toContain('certs/nats1.example.com.pem');
  expect(err).toContain(
    `2 agents: 2 of the inventory, 4 of kick's CA; 2 revoked names left out; 2 controllers: puppet.example.com`,
  );
  expect(err).toMatch(/warning: left out, since a name by NATS has no blank.*: a\.\.example\.com/);
});

test('--output is written atomically and readable; a cluster, other paths and another port are valid', async () => {
  const { folder, kick } = siteOf({ hosts: ['web1.example.com'] });
  const file = join(folder, 'out.conf');
  const cluster = 'nats1.example.com:6300,nats2.example.com';
  const { code, out } = await kick(
    '--broker',
    'nats1.example.com',
    '--cluster',
    cluster,
    '--listen',
    '5222',
    '--output',
    file,
  );
  expect({ code, out }).toEqual({ code: 0, out: '' });
  const text = readFileSync(file, 'utf8');
  isValid(folder, text);
  expect(statSync(file).mode & 0o777).toBe(0o644);
  expect(text).toContain('listen: "0.0.0.0:5222"');
  expect(text).toContain('listen: "0.0.0.0:6300"');
  expect(text).toContain('"tls://nats2.example.com:6222"');
  const paths = await kick('--tls-cert', '/a.pem', '--tls-key', '/b.pem', '--tls-ca', '/c.pem');
  expect(paths.out).toMatch(/cert_file: "\/a.pem"\n {2}key_file: "\/b.pem"\n {2}ca_file: "\/c.pem"/);
});

test.each([
  [['--listen', 'nowhere'], /--listen: "nowhere" is not an address/],
  [['--listen', '99999'], /--listen/],
  [['--cluster', 'a b'], /--cluster/],
  [['--controller', 'x>'], /--controller: "x>" is not a certname/],
  [['--tls-key', 'key.pem'], /--tls-key: "key.pem" is not an absolute path/],
  [['--format', 'xml'], /--format/],
])('kick nats config %j is refused, and nothing is written', async (words, reason) => {
  const { code, out, err } = await siteOf({}).kick(...words);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(reason);
});

test('ten thousand hosts', async () => {
  const hosts = Array.from({ length: 10_000 }, (_, index) => `node${index}.example.com`);
  const { folder, kick } = siteOf({ hosts });
  const { out } = await kick('--broker', 'nats1.example.com');
  isValid(folder, out);
  expect(out.length).toBeLessThan(4_000_000);
});
