/** `kick pki` as it is typed: each step names the next one, and a list says which certificate of a name counts. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { kickNow } from '../support/kick.ts';
import { kickHere } from '../support/kick-here.ts';
import { tempFolder } from '../support/temp.ts';

const HERE = 'deploy.example.com';
const NODE = 'web1.example.com';

/** `kick pki` on a host that is called HERE. */
function pkiIn(dir: string) {
  return (...words: string[]) =>
    kickHere(['pki', ...words], { env: { KICK_PKI_DIR: dir, KICK_CERTNAME: HERE } });
}

test('from nothing to a token, each step names the one that is missing', async () => {
  const dir = join(tempFolder(), 'pki');
  const pki = pkiIn(dir);
  const issue = `kick pki issue ${HERE} --role controller --pki-dir ${dir}`;
  expect((await pki('token', NODE)).err).toMatch(
    /hint: make one: kick pki init .*; then .*kick pki issue NAME/,
  );
  expect((await pki('init')).out).toContain(`Next, for this host: ${issue}\n`);
  expect(await pki('token', NODE)).toMatchObject({ code: 0, err: expect.stringContaining(`: ${issue} (`) });
  expect((await pki('issue', HERE, '--role', 'controller')).out).toMatch(
    /: nothing to copy\.\nNext: .*kick-pki/,
  );
  expect((await pki('token', NODE)).err).not.toContain('kick pki issue');
  const renew = ['agent', 'renew', '--pki-dir', dir, '--certname', HERE];
  expect((await kickHere(renew)).err).toMatch(/\nhint: .* on the CA's own host kick pki serve renews/);
  expect((await pki('issue', 'deploy', '--role', 'agent')).out).toContain(
    `If that is this host: it looks for "${HERE}" unless`,
  );
  expect((await pki('issue', NODE, '--role', 'agent')).out).toMatch(
    /^Copy them, .* on web1\.example\.com\.\n$/m,
  );
});

test('kick pki list says which of several certificates of a name is superseded, revoked or expired', async () => {
  const dir = join(tempFolder(), 'pki');
  const pki = pkiIn(dir);
  await pki('init');
  for (const name of [NODE, HERE]) await pki('issue', name, '--role', 'agent', '--days', '9');
  await pki('revoke', HERE);
  await pki('rotate-ca');
  await pki('switch-ca', '--force');
  expect((await pki('list')).out).toMatch(
    /^web1\S+ +agent +until \S+ +\w+ {2}of the old CA\ndeploy\S+ +agent +revoked /,
  );
  await pki('issue', NODE, '--role', 'agent');
  const [old, , latest] = (await pki('list')).out.split('\n');
  expect([old, latest]).toEqual([
    expect.stringMatching(/^web1.* until .* superseded$/),
    expect.stringMatching(/^web1.* until \S+ +\w+$/),
  ]);
  const json = JSON.parse((await pki('list', '--format', 'json')).out);
  expect(json.map((one: { state: string; isSuperseded?: true }) => [one.state, one.isSuperseded])).toEqual([
    ['valid', true],
    ['revoked', undefined],
    ['valid', undefined],
  ]);
});

test('an index that this user may not read is not called damaged', () => {
  const dir = join(tempFolder(), 'pki');
  mkdirSync(join(dir, 'ca'), { recursive: true });
  writeFileSync(join(dir, 'ca', 'index.json'), '', { mode: 0 });
  const starter =
    process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search'] : [];
  const { code, err } = kickNow(['pki', 'list', '--pki-dir', dir], { starter });
  expect({ code, err }).toEqual({
    code: 2,
    err: expect.stringMatching(/EACCES.*\nhint: run as root: sudo kick …\n$/),
  });
});

test('an option that a command requires is marked in its help', async () => {
  for (const words of [['pki', 'issue'], ['disable']])
    expect((await kickHere([...words, '--help'])).out.replace(/\s+/g, ' '), words.join(' ')).toContain(
      ' (required) ',
    );
});
