import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { cannotReach, doctorFacts } from '../../src/agent/doctor/facts.ts';
import { otherSchedulers } from '../../src/agent/doctor/schedulers.ts';
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

test('otherSchedulers finds a resident puppet agent, and not a run', () => {
  const proc = tempFolder();
  for (const [pid, comm, cmdline] of [
    ['101', 'puppet', 'puppet\0agent:\0applying\0configuration\0'],
    ['102', 'ruby', '/usr/bin/ruby\0/usr/bin/puppet\0agent\0--onetime\0'],
    ['103', 'sshd', 'sshd\0puppet agent\0'],
  ] as const) {
    mkdirSync(join(proc, pid));
    writeFileSync(join(proc, pid, 'comm'), `${comm}\n`);
    writeFileSync(join(proc, pid, 'cmdline'), cmdline);
  }
  expect(otherSchedulers({ ...nowhere, proc })).toEqual(['puppet agent as a daemon (pid 101)']);
});

test('cannotReach tells a refused connection from one that is taken and one that hangs', async () => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  expect(await cannotReach('127.0.0.1', port)).toBeUndefined();
  expect(await cannotReach('127.0.0.1', 1)).toMatch(/ECONNREFUSED/);
});

test("doctorFacts: folders, Puppet's stale lock, a server that cannot be reached", async () => {
  const folder = tempFolder();
  copyFileSync(fixture('fake-puppet'), join(folder, 'puppet'));
  chmodSync(join(folder, 'puppet'), 0o755);
  writeFileSync(join(folder, 'puppet.conf'), '');
  writeFileSync(join(folder, 'agent_catalog_run.lock'), '4194999');
  const facts = await doctorFacts({
    ...{ stateDir: folder, runDir: '/dev/shm', now: Date.now(), schedulers: nowhere },
    puppet: { explicit: join(folder, 'puppet'), path: '' },
  });
  expect(facts.folders).toEqual([
    { what: 'state', path: folder, freeBytes: expect.any(Number) },
    { what: 'run', path: '/dev/shm', freeBytes: expect.any(Number), isTmpfs: true },
  ]);
  expect(facts.staleLock).toContain('pid 4194999');
  expect(facts.server).toMatchObject({
    name: '127.0.0.1',
    port: 1,
    error: expect.stringContaining('ECONNREFUSED'),
  });
});

test('doctorFacts without Puppet says so, and looks at the rest', async () => {
  const stateDir = tempFolder();
  const puppet = { explicit: join(stateDir, 'none'), path: '' };
  const facts = await doctorFacts({ stateDir, runDir: stateDir, puppet, now: 0, schedulers: nowhere });
  expect(facts.puppetError).toContain('missing or not executable');
  expect(facts.folders).toHaveLength(2);
});
