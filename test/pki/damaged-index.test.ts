/** What the index of our own CA says of who was revoked is believed only as it was written; and its key signs only as it was made. */
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { KickError } from '../../src/errors.ts';
import { openAuthority } from '../../src/pki/authority.ts';
import { openEnrolments } from '../../src/pki/enrolments.ts';
import { systemClock as clock } from '../../src/util/clock.ts';
import { tempFolder } from '../support/temp.ts';

const wish = { role: 'agent', keyType: 'p256', days: 9 } as const;

async function caWithRevoked() {
  const dir = tempFolder();
  const authority = openAuthority(dir, { clock });
  await authority.init('Our CA');
  for (const name of ['gone', 'web1']) await authority.issue({ ...wish, name });
  await authority.revoke('gone');
  const path = join(dir, 'ca', 'index.json');
  return { dir, authority, path, text: readFileSync(path, 'utf8') };
}

test.each([
  ['the name of what says that one was revoked', '"revokedAt"', '"revokedAs"'],
  ['a digit of a serial number', /"serial":"[0-9A-F]/, '"serial":"G'],
  ['a letter of a name', '"web1"', '"web2"'],
])(
  'an index with another letter in %s is refused by whatever would change it, and left',
  async (_, from, to) => {
    const { dir, authority, path, text } = await caWithRevoked();
    const damaged = text.replace(from, to);
    expect(damaged).not.toBe(text);
    writeFileSync(path, damaged);
    const refused = { code: 'pki', message: `read the index "${path}": its checksum is wrong` };
    const enrolments = openEnrolments(dir, { clock });
    for (const work of [
      () => authority.list(),
      () => authority.issue({ ...wish, name: 'web3' }),
      () => authority.revoke('web1'),
      () => authority.rotate(),
      () => enrolments.settle(),
    ])
      await expect(work()).rejects.toMatchObject(refused);
    expect(readFileSync(path, 'utf8')).toBe(damaged);
  },
);

test('an index of a version that wrote no checksum is read, and has one after the next change', async () => {
  const { authority, path, text } = await caWithRevoked();
  const { v: _v, sum: _sum, ...index } = JSON.parse(text);
  writeFileSync(path, `${JSON.stringify(index, null, 2)}\n`);
  await authority.revoke('web1');
  expect((await authority.list()).map(({ revokedAt }) => revokedAt !== undefined)).toEqual([true, true]);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ v: 1, sum: expect.any(String) });
});

test('with one bit of its key another, a CA signs nothing that is not of it', async () => {
  const { dir, authority } = await caWithRevoked();
  const path = join(dir, 'ca', 'ca_key.pem');
  const whole = readFileSync(path, 'latin1');
  const ca = new X509Certificate(readFileSync(join(dir, 'certs', 'ca.pem')));
  const begin = whole.indexOf('\n') + 1;
  let refused = 0;
  for (let at = begin; at < whole.indexOf('-----END') - 1; at += 3) {
    const other = whole[at] === 'A' ? 'B' : 'A';
    writeFileSync(path, `${whole.slice(0, at)}${other}${whole.slice(at + 1)}`);
    const issued = authority.issue({ ...wish, name: `node${at}` });
    await issued.then(
      () =>
        expect(
          new X509Certificate(readFileSync(join(dir, 'certs', `node${at}.pem`))).verify(ca.publicKey),
        ).toBe(true),
      (error: unknown) => {
        refused += 1;
        expect(['pki', 'identity']).toContain((error as KickError).code);
      },
    );
  }
  expect(refused).toBeGreaterThan(40);
});
