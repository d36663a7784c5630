/** The choice of hosts as the commands make it: nobody is nobody, PuppetDB is opened when it is asked, options come anywhere. */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { kickHere } from '../support/kick-here.ts';
import { realSite } from '../support/real-site.ts';
import { tempFolder } from '../support/temp.ts';

const INVENTORY = {
  targets: [{ name: 'web1.example.com', facts: { os: { family: 'Debian' } } }],
};

/** A controller's folder without a certificate: whoever asks nobody needs none. */
function place(inventory: object = INVENTORY) {
  const folder = tempFolder();
  writeFileSync(join(folder, 'inventory.yaml'), JSON.stringify(inventory));
  writeFileSync(join(folder, 'empty'), '# none\n\n');
  const kick = (words: readonly string[], { input = '', puppet = '/nonexistent' } = {}) => {
    const env = { KICK_CONFIG_DIR: folder, KICK_STATE_DIR: join(folder, 'state'), KICK_PUPPET: puppet };
    return kickHere(words, { env, input });
  };
  return { folder, kick };
}

const SIMPLE = ['run', 'nodes', 'status', 'count', 'summary', 'ping', 'doctor', 'enable', 'cancel'];
const COMMANDS = [...SIMPLE.map((name) => [name]), [], ['disable', '--reason', 'x']];

test.each(COMMANDS.map((command) => [command]))(
  'kick %j with a list that names nobody is nobody',
  async (command) => {
    const { folder, kick } = place();
    const condition = ['--no-fqdn', '--fact', 'os.family=Debian'];
    for (const words of [
      ['--nodes-file', join(folder, 'empty')],
      ['--nodes-file', '-'],
    ]) {
      const { code, out, err } = await kick([...command, ...words, ...condition]);
      expect(err, words.join(' ')).toMatch(/^kick: choose the hosts: nobody is named by /);
      expect({ code, out }, words.join(' ')).toEqual({ code: 2, out: '' });
    }
  },
);

test('an inventory that is a link to nothing is no inventory that is missing; nor is a folder that was named', async () => {
  const { folder, kick } = place();
  const words = ['nodes', 'web1.example.com', '--no-fqdn'];
  const folders = join(folder, 'none');
  expect(await kick([...words, '--config-dir', folders])).toEqual({
    ...{ code: 0, out: 'web1.example.com\n' },
    err: `kick: warning: --config-dir <dir>: there is no folder "${folders}"\n`,
  });
  mkdirSync(folders);
  expect((await kick([...words, '--config-dir', folders])).err).toBe('');
  symlinkSync('gone', join(folders, 'inventory.yaml'));
  const { code, err } = await kick([...words, '--config-dir', folders]);
  expect(code).toBe(2);
  expect(err).toBe(
    `kick: read the inventory "${join(folders, 'inventory.yaml')}": it is a link to a file that is missing\n`,
  );
});

test('each name of --group is a group', async () => {
  const groups = [
    { name: 'a', targets: ['web1.example.com'] },
    { name: 'b', targets: ['web2.example.com'] },
  ];
  const { kick } = place({ groups });
  for (const text of ['a,b', '@a,b', 'a @b', 'a,b!a,a'])
    expect((await kick(['nodes', '--no-fqdn', '--group', text])).out, text).toBe('web[1-2].example.com\n');
  const { code, out, err } = await kick(['nodes', '--no-fqdn', '--group', 'a,c']);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(/look up the group "c": there is no such group/);
});

test.each([
  ['--host', ''],
  ['--host', ' '],
  ['--group', ''],
  ['--group', '@'],
  ['--nodes-file', ''],
  ['--query', ''],
  ['--fact', ''],
  ['--class', ''],
  ['--class', '::'],
  ['--last', ''],
])('kick nodes web1 with %s "%s" is exit 2', async (option, value) => {
  const { code, out, err } = await place().kick(['nodes', 'web1.example.com', option, value]);
  expect(err).toBe(
    `kick: ${option}: it is empty, and names nobody\nhint: a variable that is not set? leave out what is not meant\n`,
  );
  expect({ code, out }).toEqual({ code: 2, out: '' });
});

test('an empty word beside others is exit 2', async () => {
  const { code, err } = await place().kick(['nodes', 'web1.example.com', '']);
  expect(err).toMatch(/^kick: argument 2: it is empty/);
  expect(code).toBe(2);
});

test('an exclusion that names nobody known is a warning', async () => {
  const { kick } = place();
  expect(await kick(['nodes', '--all', '--no-fqdn', '--exclude', 'web7'])).toEqual({
    code: 0,
    out: 'web1.example.com\n',
    err: 'kick: warning: --exclude web7: no such host among the chosen\n',
  });
  expect((await kick(['nodes', '--all', '--exclude', ''])).err).toBe(
    'kick: warning: --exclude: it names nobody\n',
  );
});

test('kick doctor --local takes no hosts', async () => {
  const { code, err } = await place().kick(['doctor', '--local', '--host', 'web1']);
  expect(err).toContain('it is about this host, not about "web1"');
  expect(code).toBe(2);
});

// ---------------------------------------------------------------- PuppetDB, and names that no agent can have

/** A `puppet` whose folders are these. */
function puppetIn(folder: string): string {
  const [conf, signed] = [join(folder, 'conf'), join(folder, 'signed')];
  mkdirSync(conf);
  mkdirSync(signed);
  const settings = {
    ...{ certname: 'ctl.example.com', confdir: conf, config: join(conf, 'puppet.conf'), signeddir: signed },
    ...{ hostcert: '/x', hostprivkey: '/x', localcacert: '/x', hostcrl: '/x', lastrunreport: '/x' },
    ...{
      agent_catalog_run_lockfile: '/x',
      agent_disabled_lockfile: '/x',
      classfile: '/x',
      client_datadir: '/x',
    },
    ...{ logdest: null, runtimeout: 3600, server: 'x', server_list: '', serverport: 8140, runinterval: 1800 },
  };
  const program = join(folder, 'puppet');
  const answer = JSON.stringify(settings);
  writeFileSync(program, `#!/bin/sh\ncase $1 in config) echo '${answer}';; *) echo 7.23.0;; esac\n`);
  chmodSync(program, 0o755);
  return program;
}

test('puppetdb.conf matters when PuppetDB is asked, and not before', async () => {
  const { kick, folder } = place();
  const puppet = puppetIn(folder);
  const conf = join(folder, 'conf', 'puppetdb.conf');
  const named = ['nodes', 'web1.example.com'];
  for (const text of [
    '',
    '[main]\nsoft_write_failure = true\n',
    '[main]\nserver_urls = https://127.0.0.1:1 # ours\n',
  ]) {
    writeFileSync(conf, text);
    expect(await kick(named, { puppet }), text).toEqual({ code: 0, out: 'web1.example.com\n', err: '' });
  }
  const ca = mintCa();
  const pki = join(folder, 'pki');
  ca.write(pki, ca.issue('ctl.example.com'));
  const certificate = ['--pki-dir', pki, '--certname', 'ctl.example.com'];
  const refused = await kick(['nodes', '--all', ...certificate], { puppet });
  expect(refused.err).toMatch(/^kick: ask PuppetDB: https:\/\/127.0.0.1:1: connection refused\n/);
  expect(refused.code).toBe(2);

  writeFileSync(conf, 'server_urls = nonsense\n');
  const why = `read "${conf}": line 1: server_urls stands outside of a section`;
  expect(await kick(named, { puppet })).toEqual({
    ...{ code: 0, out: 'web1.example.com\n', err: `kick: warning: ${why}\n` },
  });
  const asked = await kick(['nodes', '--fact', 'os.family=Debian'], { puppet });
  expect(asked.err).toContain(`kick: ${why}\nhint: server_urls = https://`);
  expect(asked.code).toBe(2);
});

test("names that no agent can have are left out of Puppet CA's, counted and named", async () => {
  const { kick, folder } = place({});
  const puppet = puppetIn(folder);
  for (const name of ['web1.example.com', 'backup@nas.example.com', 'UPPER', 'bü', 'a b'])
    writeFileSync(join(folder, 'signed', `${name}.pem`), '');
  const { code, out, err } = await kick(['nodes', '--all', '--expand'], { puppet });
  expect(out).toBe('a b\nbackup@nas.example.com\nweb1.example.com\n');
  expect(err).toMatch(
    /^kick: warning: the signed certificates in .*: 2 names are no certnames and left out: /,
  );
  expect(err).toContain('"UPPER"');
  expect(code).toBe(0);
});

test('a host whose certname Puppet allows and the DNS does not is kicked', async () => {
  const name = 'backup@nas (old).example.com';
  const site = await realSite(1, () => 'exit 2', { nameOf: () => name });
  const { out, code } = await site.kick('--all', '--format', 'json');
  expect(JSON.parse(out)).toMatchObject({ hosts: [{ certname: name, outcome: 'changed' }] });
  expect(code).toBe(0);
  expect((await site.kick('status', `"${name}"`)).out).toContain(`${name}  idle`);
  expect((await site.kick('jobs', 'show', 'last', '--host', name)).code).toBe(0);
});

test('kick nodes prints nothing where no host is left, and names those that cannot be judged', async () => {
  const site = await realSite(1, () => 'exit 2');
  const { out, err, code } = await site.kick('nodes', '--all', '--class', 'apache');
  expect(out).toBe('');
  expect(err).toMatch(/^kick: warning: 1 host cannot be judged:\n {2}\S+ {2}its classes are not known: /);
  expect(code).toBe(3);
});

// ---------------------------------------------------------------- options before the command

test('options may stand before their command', async () => {
  const site = await realSite(1, () => 'exit 2');
  const state = join(site.folder, 'other');
  const words: string[][] = [
    ['--state-dir', state, 'disable', 'web1', '--reason', 'x'],
    ['--reason=x', '-y', 'enable', 'web1'],
    ['--state-dir', state, '--no-fqdn', 'status', 'web1.example.com'],
    ['--all', '--format', 'json', 'nodes'],
    ['--state-dir', state, '-qv', 'run', 'web1'],
    ['--state-dir', state, 'jobs', 'show', 'last'],
    ['--host', 'web1', '--state-dir', state, 'jobs', 'show', 'last'],
    ['--state-dir', state, '--no-color', 'jobs'],
  ];
  for (const one of words) {
    const { code, err } = await site.kick(...one);
    expect({ code, err: code === 0 ? '' : err }, one.join(' ')).toEqual({ code: 0, err: '' });
  }
});

test('the value of an option is not a command', async () => {
  const { kick } = place({ targets: ['status', 'web1'] });
  const dry = async (...words: string[]) => (await kick([...words, '--no-fqdn', '--dry-run'])).err;
  // It gets as far as the certificate: it is a run.
  for (const words of [
    ['--host', 'status'],
    ['--reason', 'disable', 'web1'],
    ['--noop', '--', 'status'],
  ])
    expect(await dry(...words), words.join(' ')).toMatch(/^kick: use puppet: "\/nonexistent"/);
});
