/** DESIGN 8, "Who may change them": every hop counts, with real owners and links. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { KickError, systemCode } from '../../src/errors.ts';
import { accounts } from '../../src/util/accounts.ts';
import { readTrusted } from '../../src/util/trusted-file.ts';
import { trustedPath } from '../../src/util/trusted-path.ts';
import { giveAway, isRoot, OTHER } from '../support/other-user.ts';
import { tempFolder } from '../support/temp.ts';

interface Verdict {
  /** What it leads to, if it is trusted. */
  path?: string;
  /** Why not, and what to type. */
  why?: string | undefined;
  hint?: string | undefined;
}

function verdictOn(path: string, { isPuppets = false } = {}): Verdict {
  try {
    return { path: trustedPath(path, { doing: 'use it', isPuppets }).path };
  } catch (error) {
    if (!(error instanceof KickError)) throw error;
    expect(error.code).toBe('untrusted');
    return { why: error.message, hint: error.hint };
  }
}

/** A folder with `etc/file` in it. */
function place() {
  const folder = tempFolder();
  const etc = join(folder, 'etc');
  const file = join(etc, 'file');
  mkdirSync(etc, { mode: 0o755 });
  writeFileSync(file, 'text', { mode: 0o644 });
  return { folder, etc, file };
}

test.each([
  [0o666, 'chmod go-w'],
  [0o602, 'chmod o-w'],
])('a file with mode %o is refused with what to type', (mode, words) => {
  const { file } = place();
  expect(verdictOn(file)).toEqual({ path: file });
  chmodSync(file, mode);
  const shown = mode.toString(8).padStart(4, '0');
  expect(verdictOn(file)).toEqual({
    why: expect.stringMatching(
      new RegExp(`^use it: "${file}" \\(owner .*, mode ${shown}\\) can be written by others$`),
    ),
    hint: `${words} ${file}`,
  });
});

test('a folder above that everybody can write is named, not the file', () => {
  const { etc, file } = place();
  chmodSync(etc, 0o777);
  expect(verdictOn(file)).toMatchObject({ hint: `chmod go-w ${etc}` });
});

test('a path that a shell would take apart is quoted in what to type', () => {
  const folder = tempFolder();
  const file = join(folder, "it's here");
  writeFileSync(file, '');
  chmodSync(file, 0o646);
  expect(verdictOn(file).hint).toBe(`chmod o-w '${folder}/it'\\''s here'`);
});

test('what is not there is judged by what is above it', () => {
  const { etc } = place();
  const missing = join(etc, 'no', 'thing');
  expect(trustedPath(missing, { doing: 'use it' })).toEqual({
    ...{ path: missing, named: missing, stat: undefined },
  });
  chmodSync(etc, 0o777);
  expect(verdictOn(missing)).toMatchObject({ hint: `chmod go-w ${etc}` });
});

test('links are followed as the kernel does, to a path without any', () => {
  const { folder, etc, file } = place();
  mkdirSync(join(folder, 'a', 'b'), { recursive: true });
  symlinkSync('../../etc', join(folder, 'a', 'b', 'up'));
  symlinkSync(join(folder, 'a', 'b'), join(folder, 'far'));
  symlinkSync('far/up/./file', join(folder, 'link'));
  expect(verdictOn(join(folder, 'link'))).toEqual({ path: file });
  // ".." of a link is that of what it leads to.
  symlinkSync('far/../../etc', join(folder, 'odd'));
  expect(verdictOn(join(folder, 'odd'))).toEqual({ path: etc });
  symlinkSync('loop', join(folder, 'loop'));
  const codeOf = (path: string) => {
    try {
      return verdictOn(path);
    } catch (error) {
      return systemCode(error);
    }
  };
  expect(codeOf(join(folder, 'loop'))).toBe('ELOOP');
  expect(codeOf(join(file, 'below'))).toBe('ENOTDIR');
});

test('a sticky folder: what is directly in it is refused, a folder of our own in it is not', () => {
  const folder = tempFolder();
  chmodSync(folder, 0o1777);
  const own = join(folder, 'own');
  mkdirSync(own, { mode: 0o755 });
  writeFileSync(join(own, 'file'), '');
  writeFileSync(join(folder, 'file'), '');
  symlinkSync('own/file', join(folder, 'link'));
  expect(verdictOn(join(own, 'file'))).toEqual({ path: join(own, 'file') });
  for (const name of ['file', 'link']) {
    expect(verdictOn(join(folder, name))).toEqual({
      why: expect.stringContaining(`lies in "${folder}", to which others can add files`),
      hint: expect.stringContaining('install -d'),
    });
  }
  expect(verdictOn(folder)).toMatchObject({ hint: expect.stringContaining('install -d') });
});

test.skipIf(!isRoot)('a file, a folder above and a link of another user are refused', () => {
  const { folder, etc, file } = place();
  const link = join(folder, 'link');
  symlinkSync('etc/file', link);
  expect(verdictOn(link)).toEqual({ path: file });
  giveAway(link);
  expect(verdictOn(link)).toEqual({
    why: `use it: the link "${link}" (owner ${OTHER}) belongs to another user, who can change it`,
    hint: `chown -h root ${link}`,
  });
  giveAway(file);
  chmodSync(file, 0o664);
  expect(verdictOn(file)).toMatchObject({ hint: `chown root ${file} && chmod g-w ${file}` });
  giveAway(etc);
  expect(verdictOn(file)).toEqual({
    why: expect.stringContaining(`"${etc}" (owner ${OTHER}, group ${OTHER}, mode 0755) belongs to another`),
    hint: expect.stringMatching(new RegExp(`^chown root ${etc};`)),
  });
});

test.skipIf(!isRoot)("a link to a link through another user's folder is refused", () => {
  const { folder, etc, file } = place();
  const theirs = join(folder, 'theirs');
  mkdirSync(theirs, { mode: 0o755 });
  symlinkSync(file, join(theirs, 'second'));
  symlinkSync(join(theirs, 'second'), join(etc, 'first'));
  symlinkSync('first', join(etc, 'zeroth'));
  expect(verdictOn(join(etc, 'zeroth'))).toEqual({ path: file });
  giveAway(theirs);
  expect(verdictOn(join(etc, 'zeroth')).why).toContain(`"${theirs}" (owner ${OTHER}`);
  // Also where the folder is only on the way: the link's target goes up again.
  symlinkSync(`${theirs}/../etc/file`, join(etc, 'through'));
  expect(verdictOn(join(etc, 'through')).why).toContain(`"${theirs}" (owner ${OTHER}`);
});

test.skipIf(!isRoot)("root's group may write, and no other group", () => {
  const { file } = place();
  chmodSync(file, 0o664);
  expect(verdictOn(file)).toEqual({ path: file });
  giveAway(file, 0, OTHER);
  expect(verdictOn(file)).toEqual({
    why: expect.stringContaining('can be written by others: by its group'),
    hint: `chmod g-w ${file}`,
  });
});

test.skipIf(!isRoot)(
  "a file that is exchanged again and again in another user's folder is never read",
  async () => {
    const { folder, etc, file } = place();
    const theirs = join(folder, 'theirs');
    mkdirSync(theirs, { mode: 0o755 });
    giveAway(theirs);
    chmodSync(folder, 0o755);
    writeFileSync(join(theirs, 'evil'), 'evil');
    symlinkSync(join(theirs, 'now'), join(etc, 'link'));
    const script = 'while :; do ln -sfn "$1" now; ln -sfn evil now; done';
    const words = [`--reuid=${OTHER}`, `--regid=${OTHER}`, '--clear-groups', 'sh', '-c', script, 'sh', file];
    const swapper = spawn('setpriv', words, { cwd: theirs, stdio: 'ignore' });
    onTestFinished(() => void swapper.kill('SIGKILL'));
    for (let count = 0; count < 300; count++) {
      expect(() => readTrusted(join(etc, 'link'), { doing: 'read it', maxBytes: 100 })).toThrow(/belongs to/);
      if (count % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  },
);

test.skipIf(!isRoot)("Puppet's user may own what is Puppet's, and nothing else", () => {
  const { file } = place();
  const puppet = accounts().find(({ name }) => name === 'puppet');
  if (puppet === undefined) return;
  giveAway(file, puppet.uid, puppet.gid);
  chmodSync(file, 0o660);
  expect(verdictOn(file, { isPuppets: true })).toEqual({ path: file });
  expect(verdictOn(file).why).toContain('(owner puppet, group puppet, mode 0660) belongs to another user');
});
