/** scripts/package/sign with GPG, and what docs/installing.md says to verify with. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeSums } from '../../scripts/package/sums.ts';
import { ROOT } from '../../tools/program.ts';
import { afterwards } from '../support/afterwards.ts';
import { tempFolder } from '../support/temp.ts';

const KEY = 'maintainer@example.com';

/** Two packages with their sums, and a keyring with a key of its own. */
function release() {
  const home = tempFolder();
  const folder = join(home, 'out');
  mkdirSync(folder);
  for (const name of ['kick-agent.deb', 'kick.deb']) writeFileSync(join(folder, name), name);
  writeSums(folder);
  const { MINISIGN_KEY: _minisign, GPG_KEY: _gpg, ...own } = process.env;
  const env = { ...own, GNUPGHOME: home, LC_ALL: 'C.UTF-8' };
  const run = (program: string, words: readonly string[], more: NodeJS.ProcessEnv = {}) =>
    spawnSync(program, words, { cwd: folder, encoding: 'utf8', env: { ...env, ...more } });
  afterwards(() => run('gpgconf', ['--kill', 'all']));
  const making = ['--batch', '--passphrase', '', '--quick-generate-key', KEY, 'ed25519', 'sign', 'never'];
  expect(run('gpg', making)).toMatchObject({ status: 0 });
  return {
    folder,
    sign: (more?: NodeJS.ProcessEnv) => run(join(ROOT, 'scripts/package/sign'), [folder], more),
    verify: () => run('gpg', ['--verify', 'SHA256SUMS.asc', 'SHA256SUMS']).status,
    check: () => run('sha256sum', ['--check', '--ignore-missing', 'SHA256SUMS']).status,
  };
}

test('what is signed can be verified, and a change of the sums or of a package is seen', () => {
  const { folder, sign, verify, check } = release();
  expect(sign({ GPG_KEY: KEY })).toMatchObject({ status: 0 });
  expect([verify(), check()]).toEqual([0, 0]);
  appendFileSync(join(folder, 'kick.deb'), 'x');
  expect([verify(), check()]).toEqual([0, 1]);
  writeSums(folder);
  expect([verify(), check()]).toEqual([1, 0]);
});

test('nothing is signed without a key, or where a package is not as they say', () => {
  const { folder, sign } = release();
  expect(sign()).toMatchObject({ status: 2, stderr: expect.stringContaining('MINISIGN_KEY') });
  appendFileSync(join(folder, 'kick.deb'), 'x');
  expect(sign({ GPG_KEY: KEY }).status).toBe(1);
  expect(existsSync(join(folder, 'SHA256SUMS.asc'))).toBe(false);
});
