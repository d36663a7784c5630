/** What an agent finds out for kick doctor: other schedulers, folders, stale locks, servers that do not answer. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { doctorFacts } from '../../src/agent/doctor/facts.ts';
import { textRunsPuppet } from '../../src/agent/doctor/puppet-commands.ts';
import { askServers, serversOf } from '../../src/agent/doctor/puppet-server.ts';
import { otherSchedulers } from '../../src/agent/doctor/schedulers.ts';
import { checkFolder } from '../../src/agent/layout.ts';
import { commandRunner } from '../../src/agent/runners/command-runner.ts';
import { loadIdentity } from '../../src/pki/load-identity.ts';
import { listenOn } from '../../tools/loopback.ts';
import { type Issued, mintCa } from '../../tools/mint/mint-ca.ts';
import { tempFolder } from '../support/temp.ts';
import { fixture } from './harness.ts';

const nowhere = { cron: [], wants: [], proc: '/nonexistent' };

test('otherSchedulers finds what runs Puppet by cron or systemd, and no comments', () => {
  const folder = tempFolder();
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  write('puppet', '*/30 * * * * root /opt/puppetlabs/bin/puppet agent --onetime\n');
  write('comment', '# 0 * * * * root puppet agent -t\nMAILTO=puppet\n');
  write('other', '0 0 * * * root /usr/bin/puppetdb gc\n');
  const wants = join(folder, 'wants');
  mkdirSync(wants);
  symlinkSync('/lib/systemd/system/puppet.service', join(wants, 'puppet.service'));
  symlinkSync('/lib/systemd/system/puppetserver.service', join(wants, 'puppetserver.service'));
  expect(otherSchedulers({ cron: [folder, '/nonexistent'], wants: [wants], proc: '/nonexistent' })).toEqual([
    `cron: ${join(folder, 'puppet')}`,
    'puppet.service (enabled)',
  ]);
});

test.each([
  ['puppet agent -t', true],
  [
    '*/30 * * * * root sleep $((RANDOM % 60)); nice -n 19 /usr/bin/puppet agent --onetime --no-daemonize',
    true,
  ],
  ['0 4 * * * root puppet agent --enable && puppet agent --test', true],
  ["0 4 * * * root sh -c 'sleep 60; puppet apply /etc/site.pp'", true],
  ['0 4 * * * root flock -n /run/x puppet \\\n  agent -t', true],
  ['0 4 * * * root puppet agent --enable', false],
  ['0 4 * * * root /opt/puppetlabs/bin/puppet agent --disable "at night"', false],
  ['0 4 * * * root puppet agent --disable=night; mail -s "puppet agent is off" root', false],
  ['0 4 * * * root puppet agent --fingerprint >/root/fp', false],
  ['0 4 * * * root puppet agent --version', false],
  ['0 4 * * * root pgrep -f "puppet agent" || systemctl restart puppet', false],
  ['0 4 * * * root echo "run puppet agent -t by hand" | mail root', false],
  ['0 4 * * * root /usr/bin/puppetdb gc # not puppet agent -t', false],
  ['# puppet agent -t', false],
  ['0 4 * * * root cat /var/log/puppet agent.log', false],
])('a crontab with %j begins runs: %s', (text, expected) => {
  expect(textRunsPuppet(`MAILTO=root\n${text}\n`)).toBe(expected);
});

/** Processes as /proc has them: pid, parent, comm, arguments. */
function procOf(processes: readonly (readonly [number, number, string, string])[]): string {
  const proc = tempFolder();
  for (const [pid, parent, comm, words] of processes) {
    const folder = join(proc, String(pid));
    mkdirSync(folder);
    writeFileSync(join(folder, 'comm'), `${comm}\n`);
    writeFileSync(join(folder, 'cmdline'), words.replaceAll(' ', '\0'));
    writeFileSync(join(folder, 'stat'), `${pid} (${comm}) S ${parent} ${pid} ${pid} 0 -1`);
  }
  return proc;
}

test.each([
  [102, 'ruby', '/usr/bin/ruby /usr/bin/puppet agent --onetime'],
  [103, 'sshd', 'sshd puppet agent'],
  [104, 'ruby', '/usr/bin/ruby /usr/bin/puppet agent -tv'],
  [105, 'puppet', '/usr/bin/ruby /usr/bin/puppet agent --enable'],
  [106, 'puppet', '/usr/bin/ruby /usr/bin/puppet apply site.pp'],
])('process %d, %s: "%s", is no resident agent', (pid, comm, words) => {
  expect(otherSchedulers({ ...nowhere, proc: procOf([[pid, 1, comm, words]]) })).toEqual([]);
});

test('a resident daemon is one schedule, whatever children it has at the moment', () => {
  const agent = '/usr/bin/ruby /usr/bin/puppet agent --no-daemonize';
  const processes = [
    [101, 1, 'puppet', agent],
    [117, 101, 'ruby', 'puppet agent: applying configuration'],
    [119, 117, 'ruby', agent],
    [121, 130, 'a) puppet (', agent],
    [130, 119, 'sh', 'sh -c x'],
  ] as const;
  const proc = procOf(processes);
  expect(otherSchedulers({ ...nowhere, proc })).toEqual(['puppet agent as a daemon (pid 101)']);
  const two = procOf([...processes, [201, 1, 'puppet', 'puppet agent']]);
  expect(otherSchedulers({ ...nowhere, proc: two })).toEqual(['puppet agent as a daemon (pid 101, 201)']);
  const wants = tempFolder();
  symlinkSync('/lib/systemd/system/puppet.service', join(wants, 'puppet.service'));
  expect(otherSchedulers({ ...nowhere, wants: [wants], proc })).toEqual(['puppet.service (enabled)']);
});

async function listening(server: Server): Promise<number> {
  onTestFinished(() => void server.close());
  return listenOn(server);
}

test('serversOf reads server_list as Puppet does, and server where there is none', () => {
  const settings = { server: 'puppet', serverport: 8140, server_list: '' };
  expect(serversOf(settings)).toEqual([{ name: 'puppet', port: 8140 }]);
  expect(serversOf({ ...settings, server: '' })).toEqual([]);
  expect(serversOf({ ...settings, server_list: 'a.example, b.example:8141' })).toEqual([
    { name: 'a.example', port: 8140 },
    { name: 'b.example', port: 8141 },
  ]);
});

test('askServers without a certificate: taken, refused, silent', async () => {
  const taken = await listening(createServer((socket) => socket.destroy()));
  const servers = [taken, 1].map((port) => ({ name: '127.0.0.1', port }));
  const [good, refused] = await askServers(servers, undefined);
  expect(good).toEqual(servers[0]);
  expect(refused?.error).toMatch(/ECONNREFUSED/);
});

test('askServers with a certificate: a server of our CA, one of another name, of another CA, at work, silent', async () => {
  const [ca, other] = [mintCa(), mintCa({ name: 'Other CA' })];
  const identity = await ca.identity('web1.example.com', { role: 'agent' });
  const serving = async (certificate: Issued, status: number) => {
    const { key, certificate: cert } = certificate;
    const server = https.createServer({ key, cert }, (_request, response) => {
      response.writeHead(status).end('running');
    });
    return { name: 'localhost', port: await listening(server) };
  };
  const named = { role: 'agent', alternativeNames: ['localhost'] } as const;
  const silent = createServer(() => {});
  const answers = await askServers(
    [
      await serving(ca.issue('localhost', named), 200),
      await serving(ca.issue('puppet.example.com', { role: 'agent' }), 200),
      await serving(other.issue('localhost', named), 200),
      await serving(ca.issue('localhost', named), 503),
    ],
    identity,
    600_000,
  );
  const silence = { name: 'localhost', port: await listening(silent) };
  answers.push(...(await askServers([silence], identity, 1000)));
  expect(answers.map(({ error }) => error)).toEqual([
    undefined,
    expect.stringContaining("does not match certificate's altnames"),
    expect.stringMatching(/unable to verify|unable to get local issuer/),
    'it answers 503',
    'no answer in 1 s',
  ]);
});

test('checkFolder finds what prepareFolders would, and makes nothing', async () => {
  const folder = tempFolder();
  await expect(checkFolder(join(folder, 'deep', 'down'))).resolves.toBeUndefined();
  expect(existsSync(join(folder, 'deep'))).toBe(false);
  writeFileSync(join(folder, 'file'), '');
  await expect(checkFolder(join(folder, 'file'))).rejects.toThrow(/not a folder/);
  await expect(checkFolder(join(folder, 'file', 'below'))).rejects.toThrow(/not a folder|ENOTDIR/);
  symlinkSync('/tmp', join(folder, 'link'));
  await expect(checkFolder(join(folder, 'link'))).rejects.toThrow(/a symbolic link/);
  mkdirSync(join(folder, 'open'));
  chmodSync(join(folder, 'open'), 0o777);
  await expect(checkFolder(join(folder, 'open'))).rejects.toThrow(/mode 0777\) can be written by others/);
});

test("doctorFacts: folders, Puppet's stale lock, a server that cannot be reached", async () => {
  const folder = tempFolder();
  copyFileSync(fixture('fake-puppet'), join(folder, 'puppet'));
  chmodSync(join(folder, 'puppet'), 0o755);
  writeFileSync(join(folder, 'puppet.conf'), '');
  writeFileSync(join(folder, 'agent_catalog_run.lock'), '4194999');
  const facts = await doctorFacts({
    ...{ stateDir: folder, runDir: '/dev/shm', now: Date.now(), schedulers: nowhere },
    puppet: { explicit: join(folder, 'puppet'), path: '', asksServer: true },
  });
  expect(facts.folders).toEqual([
    { what: 'state', path: folder, freeBytes: expect.any(Number) },
    { what: 'run', path: '/dev/shm', freeBytes: expect.any(Number), isTmpfs: true },
  ]);
  expect(facts.staleLock).toContain('pid 4194999');
  expect(facts.servers).toEqual([
    { name: '127.0.0.1', port: 1, error: expect.stringContaining('ECONNREFUSED') },
  ]);
});

test('doctorFacts without Puppet says so, and looks at the rest', async () => {
  const stateDir = tempFolder();
  const puppet = { explicit: join(stateDir, 'none'), path: '', asksServer: true };
  const facts = await doctorFacts({ stateDir, runDir: stateDir, puppet, now: 0, schedulers: nowhere });
  expect(facts.puppetError).toContain('missing or not executable');
  expect(facts.folders).toHaveLength(2);
});

test('doctorFacts: a key that every user can read, and a command that is missing', async () => {
  const folder = tempFolder();
  const pki = join(folder, 'pki');
  const ca = mintCa();
  ca.write(pki, ca.issue('web1.example.com', { role: 'agent' }));
  const key = join(pki, 'private_keys', 'web1.example.com.pem');
  const paths = {
    ...{ key, certificate: join(pki, 'certs', 'web1.example.com.pem') },
    ...{ ca: join(pki, 'certs', 'ca.pem'), crl: join(pki, 'crl.pem') },
  };
  const identity = await loadIdentity(paths, { now: Date.now() });
  const runner = commandRunner({ argv: [join(folder, 'none')], runEnvironment: {} });
  const facts = async () => {
    const options = { stateDir: folder, runDir: folder, now: Date.now(), schedulers: nowhere };
    return (await doctorFacts({ ...options, identity, runner })).untrusted;
  };
  const missing = { what: expect.stringContaining('none": it is missing or not executable') };
  expect(await facts()).toEqual([
    expect.objectContaining({ ...missing, next: 'see command: in agent.yaml' }),
  ]);
  chmodSync(key, 0o644);
  expect(await facts()).toContainEqual({
    what: `the private key "${key}" (mode 0644) can be read by every user`,
    ...{ next: `chmod o-r ${key}`, isLeftOut: true },
  });
});
