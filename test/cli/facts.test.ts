/** `kick facts`: hosts counted by the values of a fact, as the inventory or PuppetDB have them. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { complete } from '../../src/cli/completion/complete.ts';
import { makeProgram } from '../../src/cli/program.ts';
import { openTerminal } from '../../src/cli/terminal.ts';
import { afterwards } from '../support/afterwards.ts';
import { kickHere } from '../support/kick-here.ts';
import { tempFolder } from '../support/temp.ts';

const FACTS = { os: { family: 'Debian', release: { full: '12.10' } }, disks: ['sda', 'sdb'], cores: 4 };
const TARGETS = [
  { name: 'web1.x', facts: FACTS },
  { name: 'web2.x', facts: FACTS },
  { name: 'db1.x', facts: { os: { family: 'RedHat' }, cores: '4', disks: ['sdb', 'sda'] } },
  { name: 'db2.x', facts: { os: { release: { full: '9' }, family: 'Red\u001b[31mHat\u202e' } } },
  'new.x',
];

function place(config: object = { puppetdb: false }) {
  const folder = tempFolder();
  const groups = [{ name: 'web', targets: ['web1.x', 'web2.x'] }];
  writeFileSync(join(folder, 'inventory.yaml'), JSON.stringify({ targets: TARGETS, groups }));
  writeFileSync(join(folder, 'controller.yaml'), JSON.stringify(config));
  writeFileSync(join(folder, 'empty'), '# none\n');
  const env = {
    KICK_CONFIG_DIR: folder,
    KICK_STATE_DIR: join(folder, 'state'),
    KICK_PUPPET: '/nonexistent',
  };
  return { folder, env, kick: (...words: string[]) => kickHere(['facts', '--no-fqdn', ...words], { env }) };
}

test('counts hosts by the values of a fact; those without it are counted, too', async () => {
  const { kick } = place();
  expect(await kick('os.family')).toEqual({
    ...{ code: 0, err: '' },
    out: [
      '  2  Debian                  web[1-2].x',
      '  1  Red\\x1b[31mHat\\u{202e}  db2.x',
      '  1  RedHat                  db1.x',
      '  1  (none)                  new.x',
      '5 hosts, 3 values\n',
    ].join('\n'),
  });
  expect((await kick('os.family', '@web')).out).toBe('  2  Debian  web[1-2].x\n2 hosts, 1 value\n');
  expect((await kick('disks[1]', '--fact', 'os.family~^Red', 'web*,db1.x')).out).toBe(
    '  1  sda  db1.x\n1 host, 1 value\n',
  );
});

test('--format json has values as Puppet has them: text is no number, keys have no order', async () => {
  const { kick } = place();
  const { out } = await kick('cores', '--all', '--format', 'json');
  expect(JSON.parse(out)).toEqual({
    fact: 'cores',
    values: [
      { value: 4, hosts: 2, certnames: ['web1.x', 'web2.x'] },
      { value: '4', hosts: 1, certnames: ['db1.x'] },
    ],
    none: { hosts: 2, certnames: ['db2.x', 'new.x'] },
    unclear: [],
  });
});

test('a mapping says by what to count; a fact that nobody has is most likely a typo', async () => {
  const { kick } = place();
  const mapping = await kick('os', 'web1.x');
  expect(mapping.err).toBe('kick: os is a mapping, to be counted by one of its keys: family, release\n');
  expect(mapping.out).toMatch(/^ {2}1 {2}\{"family":"Debian"/);
  expect(await kick('os.famly', '@web')).toEqual({
    ...{ code: 0, out: '  2  (none)  web[1-2].x\n2 hosts, 0 values\n' },
    err: 'kick: warning: no host has the fact os.famly\n',
  });
});

test.each([
  [['os.family=Debian'], /the fact: a fact ends here, see column 10\n {2}os.family=Debian\n {11}\^/],
  [['os..family'], /the fact: a name is missing, see column 4/],
  [[''], /the fact: a fact is missing/],
  [['os', '--format', 'xml'], /--format: "xml" is not known/],
  [['os', '--exclude', '*', '@web'], /nobody is left/],
])('%j is refused', async (words, message) => {
  const { code, out, err } = await place().kick(...words);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(message);
});

test('an empty list is nobody, never everybody', async () => {
  const { folder, kick } = place();
  const { code, err } = await kick('os.family', '--nodes-file', join(folder, 'empty'));
  expect(code).toBe(2);
  expect(err).toMatch(/nobody is named by/);
});

test('without a source of facts there is nothing to count', async () => {
  const { folder, kick } = place();
  writeFileSync(join(folder, 'inventory.yaml'), JSON.stringify({ targets: ['web1.x'] }));
  const { code, err } = await kick('os.family');
  expect(code).toBe(2);
  expect(err).toMatch(
    /count hosts by a fact: there is no PuppetDB to ask\n.*hint: controller.yaml, puppetdb/s,
  );
});

test('PuppetDB comes before the inventory; one that cannot be asked is no count', async () => {
  const server = createServer(async (request, response) => {
    const { query } = JSON.parse(await text(request));
    const rows = query.startsWith('inventory[')
      ? [{ certname: 'web1.x', 'facts.os.family': 'FreeBSD' }]
      : [{ certname: 'web1.x' }, { certname: 'web2.x' }];
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(rows));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { kick } = place({ puppetdb: { urls: [`http://127.0.0.1:${port}`] } });
  afterwards(() => server.close());
  expect(await kick('os.family')).toMatchObject({
    out: '  1  FreeBSD  web1.x\n  1  (none)   web2.x\n2 hosts, 1 value\n',
  });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  const { code, out } = await kick('os.family', '@web');
  expect({ code: code !== 0, out }).toEqual({ code: true, out: '' });
});

test('what a plugin of Bolt would know is not known: exit 3', async () => {
  const { folder, kick } = place();
  const facts = { role: { _plugin: 'vault' } };
  const targets = [
    { name: 'web1.x', facts },
    { name: 'web2.x', facts: { role: 'db' } },
  ];
  writeFileSync(join(folder, 'inventory.yaml'), JSON.stringify({ targets }));
  expect(await kick('role')).toMatchObject({
    ...{ code: 3 },
    out: '  1  db           web2.x\n  1  (not known)  web1.x\n2 hosts, 1 value\n',
  });
});

test('TAB completes facts of the inventory level by level, then hosts', async () => {
  const { env } = place();
  const terminal = openTerminal({ noColor: true });
  const program = await makeProgram({ terminal, env, exit() {} });
  const tab = (...words: string[]) => complete(program, words, env);
  expect(await tab('facts', 'o')).toEqual(['os.']);
  expect(await tab('facts', 'os.')).toEqual(['os.family', 'os.release.']);
  expect(await tab('facts', 'os.release.f')).toEqual(['os.release.full']);
  expect(await tab('facts', 'os.family', 'web')).toEqual(['web1.x', 'web2.x']);
});
