/** The choice of hosts as the commands make it: nobody is nobody, PuppetDB is opened when it is asked, options come anywhere. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PROGRAM } from '../support/build.ts';
import { mintCa } from '../support/minted-ca.ts';
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
    const done = spawnSync(process.execPath, [PROGRAM, ...words], {
      ...{ encoding: 'utf8', input, cwd: folder },
      env: { ...process.env, ...env, NO_COLOR: '1' },
    });
    return { code: done.status, out: done.stdout, err: done.stderr };
  };
  return { folder, kick };
}

const COMMANDS = [
  ...[
    ['run'],
    [],
    ['nodes'],
    ['status'],
    ['count'],
    ['summary'],
    ['ping'],
    ['doctor'],
    ['enable'],
    ['cancel'],
  ],
  ['disable', '--reason', 'x'],
];

test.each(COMMANDS.map((command) => [command]))(
  'kick %j with a list that names nobody is nobody',
  (command) => {
    const { kick } = place();
    const condition = ['--no-fqdn', '--fact', 'os.family=Debian'];
    for (const words of [
      ['--nodes-file', 'empty'],
      ['--nodes-file', '-'],
    ]) {
      const { code, out, err } = kick([...command, ...words, ...condition]);
      expect(err, words.join(' ')).toMatch(/^kick: choose the hosts: nobody is named by /);
      expect({ code, out }, words.join(' ')).toEqual({ code: 2, out: '' });
    }
  },
);

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
])('kick nodes web1 with %s "%s" is exit 2', (option, value) => {
  const { code, out, err } = place().kick(['nodes', 'web1.example.com', option, value]);
  expect(err).toBe(
    `kick: ${option}: it is empty, and names nobody\nhint: a variable that is not set? leave out what is not meant\n`,
  );
  expect({ code, out }).toEqual({ code: 2, out: '' });
});

test('an empty word beside others is exit 2', () => {
  const { code, err } = place().kick(['nodes', 'web1.example.com', '']);
  expect(err).toMatch(/^kick: argument 2: it is empty/);
  expect(code).toBe(2);
});

test('an exclusion that names nobody known is a warning', () => {
  const { kick } = place();
  expect(kick(['nodes', '--all', '--no-fqdn', '--exclude', 'web7'])).toEqual({
    code: 0,
    out: 'web1.example.com\n',
    err: 'kick: warning: --exclude web7: no such host among the chosen\n',
  });
  expect(kick(['nodes', '--all', '--exclude', '']).err).toBe('kick: warning: --exclude: it names nobody\n');
});

test('kick doctor --local takes no hosts', () => {
  const { code, err } = place().kick(['doctor', '--local', '--host', 'web1']);
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
    expect(kick(named, { puppet }), text).toEqual({ code: 0, out: 'web1.example.com\n', err: '' });
  }
  const ca = mintCa();
  const pki = join(folder, 'pki');
  await ca.write(pki, 'ctl.example.com', ca.issue('ctl.example.com'));
  const certificate = ['--pki-dir', pki, '--certname', 'ctl.example.com'];
  const refused = kick(['nodes', '--all', ...certificate], { puppet });
  expect(refused.err).toMatch(/^kick: ask PuppetDB: https:\/\/127.0.0.1:1: connection refused\n/);
  expect(refused.code).toBe(2);

  writeFileSync(conf, 'server_urls = nonsense\n');
  const why = `read "${conf}": line 1: server_urls stands outside of a section`;
  expect(kick(named, { puppet })).toEqual({
    ...{ code: 0, out: 'web1.example.com\n', err: `kick: warning: ${why}\n` },
  });
  const asked = kick(['nodes', '--fact', 'os.family=Debian'], { puppet });
  expect(asked.err).toContain(`kick: ${why}\nhint: server_urls = https://`);
  expect(asked.code).toBe(2);
});

test("names that no agent can have are left out of Puppet CA's, counted and named", () => {
  const { kick, folder } = place({});
  const puppet = puppetIn(folder);
  for (const name of ['web1.example.com', 'backup@nas.example.com', 'UPPER', 'bü', 'a b'])
    writeFileSync(join(folder, 'signed', `${name}.pem`), '');
  const { code, out, err } = kick(['nodes', '--all', '--expand'], { puppet });
  expect(out).toBe('a b\nbackup@nas.example.com\nweb1.example.com\n');
  expect(err).toMatch(
    /^kick: warning: the signed certificates in .*: 2 names are no certnames and left out: /,
  );
  expect(err).toContain('"UPPER"');
  expect(code).toBe(0);
});

test('a host whose certname Puppet allows and the DNS does not is kicked', async () => {
  const name = 'backup@nas (old).example.com';
  const site = await realSite(
    1,
    () => 'exit 2',
    () => name,
  );
  const { out, code } = await site.kick('--all', '--format', 'json');
  expect(JSON.parse(out)).toMatchObject({ hosts: [{ certname: name, outcome: 'changed' }] });
  expect(code).toBe(0);
  expect((await site.kick('status', `"${name}"`)).out).toContain(`${name}  idle`);
  expect((await site.kick('jobs', 'show', 'last', '--host', name)).code).toBe(0);
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
  const dry = (...words: string[]) => kick([...words, '--no-fqdn', '--dry-run']).err;
  // It gets as far as the certificate: it is a run.
  for (const words of [
    ['--host', 'status'],
    ['--reason', 'disable', 'web1'],
    ['--noop', '--', 'status'],
  ])
    expect(dry(...words), words.join(' ')).toMatch(/^kick: use puppet: "\/nonexistent"/);
});
