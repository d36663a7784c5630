/** DESIGN 8, "Who may change them": a run executes and believes only what nobody else can change, and says what to type. */
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { doctorFacts } from '../../src/agent/doctor/facts.ts';
import { commandRunner } from '../../src/agent/runners/command-runner.ts';
import { puppetApplyRunner } from '../../src/agent/runners/puppet-runners.ts';
import type { Runner } from '../../src/agent/runners/runner.ts';
import { findPuppet } from '../../src/puppet/binary.ts';
import { silentLog } from '../../src/util/log.ts';
import { trustedSearchPath } from '../../src/util/search-path.ts';
import { giveAway, isRoot, OTHER } from '../support/other-user.ts';
import { tempFolder } from '../support/temp.ts';
import { host } from './fake-puppet.ts';
import { kick, startAgent } from './harness.ts';

function script(path: string, text = '#!/bin/sh\nexit 2\n'): string {
  writeFileSync(path, text, { mode: 0o755 });
  return path;
}

function folderIn(folder: string, name: string): string {
  const path = join(folder, name);
  mkdirSync(path, { mode: 0o755 });
  return path;
}

async function outcomeOf(runner: Runner, folder = tempFolder()) {
  const agent = await startAgent(folder, { runner });
  const { outcome, message = '' } = await (await kick(agent)).finished;
  return { outcome, message };
}

const planOf = (runner: Runner) =>
  runner.plan({ run: 'r', dir: '/nowhere', action: { op: 'run' } }).then(({ argv, env }) => ({ argv, env }));

test.skipIf(!isRoot)(
  "a command that a link to a link reaches through another user's folder is never run",
  async () => {
    const folder = tempFolder();
    const [etc, theirs] = [folderIn(folder, 'etc'), folderIn(folder, 'theirs')];
    const proof = join(folder, 'proof');
    const program = script(join(etc, 'program'), `#!/bin/sh\ntouch '${proof}'\nexit 2\n`);
    symlinkSync(program, join(theirs, 'second'));
    symlinkSync(join(theirs, 'second'), join(etc, 'first'));
    const runner = commandRunner({ argv: [join(etc, 'first')], runEnvironment: {} });
    expect(await outcomeOf(runner)).toMatchObject({ outcome: 'changed' });
    rmSync(proof);
    giveAway(theirs);
    expect(await outcomeOf(runner)).toEqual({
      outcome: 'failed',
      message: expect.stringContaining(
        `run the command "${join(etc, 'first')}": "${theirs}" (owner ${OTHER}, group ${OTHER}, mode 0755) belongs to another user, who can change it; chown root ${theirs}`,
      ),
    });
    // What they own is not looked at: another program behind the link changes nothing.
    rmSync(join(theirs, 'second'));
    symlinkSync(script(join(theirs, 'evil'), `#!/bin/sh\ntouch '${proof}'\n`), join(theirs, 'second'));
    expect(await outcomeOf(runner)).toMatchObject({ outcome: 'failed' });
    expect(() => rmSync(proof)).toThrow(/ENOENT/);
  },
);

test('what is executed is the path without links, but for one that has another name', async () => {
  const folder = tempFolder();
  const [v1, v2, bin] = [folderIn(folder, 'v1'), folderIn(folder, 'v2'), folderIn(folder, 'bin')];
  script(join(v1, 'program'));
  script(join(v2, 'program'));
  symlinkSync(v1, join(folder, 'current'));
  const argv = [join(folder, 'current', 'program'), '--x'];
  const plan = await planOf(commandRunner({ argv, runEnvironment: {} }));
  expect(plan.argv).toEqual([join(v1, 'program'), '--x']);
  // Puppet's packages: bin/puppet is a link to wrapper.sh, which looks at the name that it was called by.
  const wrapper = script(join(v1, 'wrapper.sh'));
  symlinkSync(wrapper, join(bin, 'puppet'));
  symlinkSync(bin, join(folder, 'link'));
  symlinkSync(join(folder, 'link', 'puppet'), join(folder, 'puppet'));
  expect(findPuppet({ explicit: join(folder, 'puppet'), path: '' })).toBe(join(bin, 'puppet'));
  chmodSync(wrapper, 0o757);
  expect(() => findPuppet({ explicit: join(folder, 'puppet'), path: '' })).toThrow(`"${wrapper}" (owner`);
});

test('the interpreter of a script counts, also one that env finds', async () => {
  const folder = tempFolder();
  const bin = folderIn(folder, 'bin');
  const interpreter = join(bin, 'kick-test-sh');
  symlinkSync('/bin/sh', interpreter);
  const direct = script(join(folder, 'direct'), `#!${interpreter} -e\nexit 2\n`);
  const byEnv = script(join(folder, 'by-env'), '#!/usr/bin/env -S kick-test-sh\nexit 2\n');
  const runEnvironment = { PATH: `${bin}:/usr/bin:/bin` };
  // A link to env is env; its options do not hide the program.
  const link = join(bin, 'xenv');
  symlinkSync('/usr/bin/env', link);
  const byLink = script(join(folder, 'by-link'), `#!${link} -S -u FOO kick-test-sh\nexit 2\n`);
  const runners = [direct, byEnv, byLink].map((argv) => commandRunner({ argv: [argv], runEnvironment }));
  for (const runner of runners) expect(await outcomeOf(runner)).toMatchObject({ outcome: 'changed' });
  rmSync(interpreter);
  chmodSync(script(interpreter, '#!/bin/sh\nexec /bin/sh "$@"\n'), 0o777);
  for (const runner of runners) {
    expect((await outcomeOf(runner)).message).toContain(`; chmod go-w ${interpreter}`);
  }
});

test('a folder of PATH to which others can add programs is left out, and doctor says so', async () => {
  const folder = tempFolder();
  const [open, closed] = [folderIn(folder, 'open'), folderIn(folder, 'closed')];
  chmodSync(open, 0o777);
  const path = `${open}:relative::${closed}:${join(closed, 'missing')}`;
  expect(trustedSearchPath(path)).toEqual({
    path: `${closed}:${join(closed, 'missing')}`,
    leftOut: [expect.objectContaining({ code: 'untrusted', hint: `chmod go-w ${open}` })],
  });
  const runner = commandRunner({ argv: ['/bin/true'], runEnvironment: { PATH: path } });
  expect((await planOf(runner)).env['PATH']).not.toContain(open);
  const facts = await doctorFacts({
    ...{ stateDir: folder, runDir: folder, now: 0, runner },
    schedulers: { cron: [], wants: [], proc: '/nonexistent' },
  });
  expect(facts).toMatchObject({
    untrusted: [{ what: expect.stringContaining(`keep "${open}" in PATH`), isLeftOut: true }],
  });
});

test.each([
  ['default', "puppet.service's environment file"],
  ['puppet.conf', "believe Puppet's config"],
])('a run of Puppet is refused while others can write %s, and doctor says so', async (name, what) => {
  const { dir, finished, runner } = await host('2 changed true\n2 changed true');
  const file = join(dir, name);
  chmodSync(file, 0o666);
  const reason = expect.stringMatching(new RegExp(`${what} ".*mode 0666.*; chmod go-w ${file}$`));
  expect(await finished()).toMatchObject({ outcome: 'failed', message: reason });
  expect((await runner.untrusted()).map(({ error }) => error.hint)).toEqual([`chmod go-w ${file}`]);
  chmodSync(file, 0o644);
  expect(await finished()).toMatchObject({ outcome: 'changed' });
  expect(await runner.untrusted()).toEqual([]);
});

test('a report, a lock or a cached catalog that others could have written is not believed', async () => {
  const state = { extraOptions: '--statedir DIR/state-of-puppet' };
  const { folder, finished } = await host('2 changed true\n2 changed true', state);
  const stateDir = folderIn(folder, 'state-of-puppet');
  chmodSync(stateDir, 0o777);
  expect((await finished()).message).toContain(`; chmod go-w ${stateDir}`);
  chmodSync(stateDir, 0o1755);
  expect(await finished()).toMatchObject({ outcome: 'changed' });
});

test('a manifest that others can write is not applied', async () => {
  const { dir, folder } = await host('');
  const manifest = join(dir, 'site.pp');
  writeFileSync(manifest, '');
  const runner = puppetApplyRunner(manifest, {
    ...{ puppet: join(dir, 'puppet'), path: '', stateDir: join(folder, 'other'), log: silentLog },
    ...{ runEnvironment: {}, environmentFiles: [] },
  });
  expect((await planOf(runner)).argv.at(-1)).toBe(manifest);
  chmodSync(manifest, 0o646);
  await expect(planOf(runner)).rejects.toMatchObject({ code: 'untrusted', hint: `chmod o-w ${manifest}` });
});
