/** Puppet's lock files, by Puppet's own rules and by what may stand in their place. test/interop asks Puppet itself. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readDisabled } from '../../src/agent/puppet/disabled-lock.ts';
import { catalogRunHolder, rubyInteger } from '../../src/agent/puppet/lock-files.ts';
import { namedProcess, threadAndZombie } from '../support/processes.ts';
import { tempFolder } from '../support/temp.ts';

const made: [string, (path: string) => unknown, RegExp][] = [
  ['a directory', (path) => mkdirSync(path), /it is a directory/],
  ['a link to itself', (path) => symlinkSync(path, path), /ELOOP/],
  ['a named pipe that nobody writes into', (path) => execFileSync('mkfifo', [path]), /it is a named pipe/],
  ['a device', (path) => symlinkSync('/dev/tty', path), /it is a device/],
  ['a file that cannot be read', (path) => symlinkSync('/proc/self/mem', path), /EIO|EACCES/],
  ['a socket', listen, /it is a socket/],
];

async function listen(path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => void server.close());
}

test.each(made)(
  '%s in place of a lock is told at once, for the run and for disabling alike',
  async (_, make, why) => {
    const path = join(tempFolder(), 'lock');
    await make(path);
    for (const read of [() => catalogRunHolder(path, Date.now()), () => readDisabled(path)]) {
      await expect(read()).rejects.toMatchObject({ code: 'puppet', message: expect.stringMatching(why) });
      await expect(read()).rejects.toThrow(`read Puppet's lock "${path}": `);
    }
  },
);

test('a link that leads nowhere keeps Puppet from its lock for ever, and disables nothing', async () => {
  const path = join(tempFolder(), 'lock');
  symlinkSync('/nonexistent/lock', path);
  await expect(catalogRunHolder(path, Date.now())).rejects.toThrow(/a symbolic link that leads nowhere/);
  expect(await readDisabled(path)).toBeUndefined();
});

test('a folder that is missing, or is a file, holds no lock', async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'file'), '');
  for (const path of [join(folder, 'none', 'lock'), join(folder, 'file', 'lock')]) {
    expect(await catalogRunHolder(path, Date.now())).toBeUndefined();
    expect(await readDisabled(path)).toBeUndefined();
  }
});

test.each([
  ['4242', 4242],
  [' +4242\n', 4242],
  ['4_242', 4242],
  ['0x1f', 31],
  ['0b101', 5],
  ['017', 15],
  ['0o17', 15],
  ['0_17', 15],
  ['019', undefined],
  ['-1', undefined],
  ['0', undefined],
  ['', undefined],
  ['4242 x', undefined],
  ['4242.0', undefined],
  ['4__2', undefined],
  ['4242\0', undefined],
  ['99999999999999999999', undefined],
])('rubyInteger of %j is %s', (text, pid) => {
  expect(rubyInteger(text)).toBe(pid);
});

async function holderOf(content: string, written = new Date()) {
  const path = join(tempFolder(), 'lock');
  writeFileSync(path, content);
  utimesSync(path, written, written);
  return { path, holder: await catalogRunHolder(path, Date.now()) };
}

test.each([
  ['puppet', true],
  ['puppet-x', true],
  ['xpuppet', true],
  ['puppetx', false],
  ['puppet x', false],
  ['xruby puppet', true],
  ['ruby', false],
])("a process called %j is a run by Puppet's rule: %s", async (name, isRun) => {
  const { pid } = await namedProcess(name);
  const { holder } = await holderOf(`${pid}`);
  expect(holder?.pid).toBe(isRun ? pid : undefined);
});

test('ruby counts by "puppet" in its arguments, and is called an agent only if it is one', async () => {
  const agent = await namedProcess('ruby3.1', { argv0: '/usr/bin/ruby /usr/bin/puppet agent' });
  expect((await holderOf(`${agent.pid}`)).holder).toEqual({
    ...{ pid: agent.pid, what: 'puppet agent, not by kick', since: expect.any(Number) },
  });
  const other = await namedProcess('ruby3.1', { argv0: 'ruby /opt/puppet-board/app.rb' });
  const { holder, path } = await holderOf(`${other.pid}`);
  expect(holder).toEqual({
    ...{ pid: other.pid, what: 'ruby3.1, not by kick', since: expect.any(Number) },
    command: 'ruby /opt/puppet-board/app.rb 3600',
    user: expect.stringMatching(/\w/),
    began: expect.any(Number),
    next: `if it is no run of Puppet, remove ${path} there`,
  });
});

test('a process that began after the lock was written is most likely no run, be it an agent', async () => {
  const { pid } = await namedProcess('ruby', { argv0: 'puppet agent: idle' });
  const written = new Date(Date.now() - 60_000);
  const { holder, path } = await holderOf(`${pid}`, written);
  expect(holder).toMatchObject({
    ...{ pid, what: 'puppet agent, not by kick', since: written.getTime(), isRun: false },
    ...{ command: 'puppet agent: idle 3600', began: expect.any(Number) },
    stuck: 'it began after the lock was written: most likely a later process with the same pid',
    next: `Puppet waits for it, too: if it is no run of Puppet, remove ${path} there`,
  });
  expect(holder?.began).toBeGreaterThan(written.getTime());
});

test('a zombie and a thread count, as for Puppet', async ({ skip }) => {
  const found = await threadAndZombie('puppet');
  if (found === undefined) return skip('needs python3');
  expect((await holderOf(String(found.zombie))).holder).toMatchObject({
    ...{ pid: found.zombie, isRun: false, command: '[puppet] <defunct>' },
    stuck: 'it has ended, and its parent process has not noticed',
  });
  expect((await holderOf(String(found.thread))).holder).toMatchObject({ pid: found.thread });
});
