/** DESIGN 8, "Who may change them": under an ACL of setfacl(1) the group's bits say nothing of the group. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { trustedPath } from '../../src/util/trusted-path.ts';
import { isRoot, OTHER } from '../support/other-user.ts';
import { tempFolder } from '../support/temp.ts';

function place() {
  const folder = join(tempFolder(), 'etc');
  const file = join(folder, 'file');
  mkdirSync(folder, { mode: 0o755 });
  writeFileSync(file, 'text', { mode: 0o644 });
  return { folder, file };
}

function setAcl(path: string, ...words: string[]): void {
  execFileSync('setfacl', [...words, path]);
}

const trusted = (path: string) => trustedPath(path, { doing: 'use it' }).path;

/** What refuses a path. */
function refusal(path: string): { message: string; hint: string } {
  try {
    return { message: `trusted: ${trusted(path)}`, hint: '' };
  } catch (error) {
    return error as { message: string; hint: string };
  }
}

// Only what root's group can write is looked at so closely.
test.skipIf(!isRoot).each([`user:${OTHER}`, `group:${OTHER}`])(
  'an ACL that lets %s write is no trust',
  (who) => {
    const { file } = place();
    setAcl(file, '-m', `${who}:rw`);
    expect(refusal(file)).toMatchObject({
      message: expect.stringMatching(/mode 0664\) can be written by others: by users or groups in its ACL$/),
      hint: `chmod g-w ${file}`,
    });
    // The words are true: without "w" in its mask the ACL lets nobody write.
    chmodSync(file, 0o644);
    expect(trusted(file)).toBe(file);
    chmodSync(file, 0o664);
    expect(refusal(file).hint).toBe(`chmod g-w ${file}`);
    setAcl(file, '-b');
    chmodSync(file, 0o664);
    expect(trusted(file)).toBe(file);
  },
);

test.skipIf(!isRoot)(
  'an ACL that lets others only read, root write, or has another default is trusted',
  () => {
    const { folder, file } = place();
    setAcl(file, '-m', `user:${OTHER}:r,user:0:rw,mask::rw`);
    setAcl(folder, '-d', '-m', `user:${OTHER}:rwx`);
    expect(trusted(file)).toBe(file);
  },
);

test.skipIf(!isRoot)('a folder above with such an ACL is named', () => {
  const { folder, file } = place();
  setAcl(folder, '-m', `user:${OTHER}:rwx`);
  expect(refusal(file)).toMatchObject({ hint: `chmod g-w ${folder}` });
});
