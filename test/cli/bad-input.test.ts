/** What an operator may type wrong: exit 2, a message and a hint, nothing sent, no stack trace. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { type Ended, type KickOptions, kickNow } from '../support/kick.ts';
import { kickHere } from '../support/kick-here.ts';
import { tempFolder } from '../support/temp.ts';

const NAME = 'puppet.example.com';

const ca = mintCa();

/** A controller's folders, with a certificate unless told. */
async function place({ certificate = true, ppCliAuth = true } = {}) {
  const folder = tempFolder();
  chmodSync(folder, 0o755);
  const [etc, pki] = [join(folder, 'etc'), join(folder, 'pki')];
  mkdirSync(etc);
  mkdirSync(pki);
  if (certificate) ca.write(pki, ca.issue(NAME, { ppCliAuth }));
  const folders = [
    ...['--config-dir', etc, '--state-dir', join(folder, 'state')],
    ...['--pki-dir', pki, '--certname', NAME],
  ];
  return {
    etc,
    pki,
    folder,
    kick: (words: string[], options: KickOptions = {}) => run([...words, ...folders], options),
  };
}

/** What lets root read every file is taken away; its own files stay its own, wherever Node and the checkout lie. */
const WITHOUT_CAPABILITIES =
  process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search'] : [];

/** In this process unless a program is to start it. */
async function run(words: readonly string[], options: KickOptions = {}): Promise<Ended> {
  const { env, starter, input } = options;
  const how = { env: { KICK_DEBUG: '', ...env }, ...(input !== undefined && { input }) };
  const done = starter === undefined ? await kickHere(words, how) : kickNow(words, { ...how, starter });
  expect(done.err).not.toMatch(/^\s+at /m);
  return done;
}

test.each<[string, string[], RegExp]>([
  [
    'malformed host names',
    ['--host', 'web(1)', 'b/d'],
    /argument 1: "\/" cannot.*--host: "\(" cannot be in a certname without quotes, see column 4\n/s,
  ],
  [
    'an expression with an open bracket',
    ['web[1-'],
    /bracket is not closed, see column 4\n {2}web\[1-\n {5}\^\n/,
  ],
  ['a group that does not exist', ['@dmz'], /no such group/],
  ['no hosts', [], /there are none/],
  [
    'a nodes file that is not there',
    ['--nodes-file', '/nowhere/x'],
    /read the list of nodes "\/nowhere\/x": there is no such file\n/,
  ],
  ['an unknown option', ['web1', '--fly'], /^kick: unknown option '--fly'\nhint: kick run --help\n$/],
  [
    'a misspelt option',
    ['web1', '--nop'],
    /^kick: unknown option '--nop': did you mean --noop\?\nhint: kick run --help\n$/,
  ],
  [
    'a lack of an option',
    ['pki', 'issue', 'a.b'],
    /^kick: required option '--role .*\nhint: kick pki issue --help\n$/,
  ],
  [
    'a lack of a job',
    ['jobs', 'stop'],
    /^kick: missing required argument 'job'\nhint: kick jobs stop --help\n$/,
  ],
  [
    'a job in place of a command',
    ['jobs', 'e41c07aa'],
    /^kick: jobs: there is no command "e41c07aa"\nhint: .*: kick jobs show e41c07aa\n$/,
  ],
  ['an unknown format', ['web1', '--format', 'xml'], /--format: "xml" is not known/],
  ['an unknown --if-running', ['web1', '--if-running', 'fly'], /--if-running: "fly" is not known/],
  ['a duration that is none', ['web1', '--wait', 'soon'], /Write it like 90s/],
  ['a concurrency of 0', ['web1', '--concurrency', '0'], /from 1 to 10000/],
  ['a bad tag', ['web1', '--tags', 'a b'], /--tags.*not a tag/s],
  ['empty tags', ['web1', '--tags', ''], /--tags.*not a tag/s],
  ['an empty version', ['web1', '--expect-version', ''], /--expect-version: it is empty/],
  ['a bad environment', ['web1', '--environment', '../x'], /--environment: not an environment name/],
  ['a lock that is no name', ['web1', '--lock', '../x'], /--lock: "..\/x" is not a name/],
  ['a wait without a lock', ['web1', '--lock-wait', '5'], /there is no --lock/],
  [
    'a word that is nearly a command',
    ['disabel', 'web1'],
    /neither a command nor a host.*did you mean "disable"/,
  ],
  ['a typing error', ['pnig', 'web1'], /did you mean "ping"/],
  [
    'a misspelt command of the agent',
    ['agent', 'enrol'],
    /"enrol" is not .*: did you mean enroll\nhint: .* renew\n$/,
  ],
  ["a command of a peer's", ['find', 'web1'], /did you mean "nodes"/],
  [
    'a command behind a host',
    ['web1', 'disable'],
    /"disable" is a command, but comes after a host\nhint: kick disable web1; if it is a host: kick --host disable/,
  ],
  [
    'a command behind options that are not its own',
    ['--noop', 'disable', 'web1'],
    /"disable" is a command, but not all words before it are its options\nhint: kick disable --help/,
  ],
])('kick with %s is exit 2', async (_what, words, message) => {
  const { kick } = await place();
  const { code, err, out } = await kick(words);
  expect(err).toMatch(message);
  expect(code).toBe(2);
  expect(out).toBe('');
});

test('a bad inventory tells all its problems, each with its line', async () => {
  const { kick, etc } = await place();
  writeFileSync(
    join(etc, 'inventory.yaml'),
    'targets:\n  - 7\n  - name: a.b\n    facts: 8\n    alias: 9\nmore: 1\n',
  );
  const { code, err } = await kick(['web1']);
  expect(code).toBe(2);
  expect(err).toMatch(/inventory.yaml:2: targets.0/);
  expect(err).toMatch(/inventory.yaml:4: targets.1.facts: not a mapping/);
  expect(err).toMatch(/inventory.yaml:5: targets.1.alias: an alias is text/);
});

test('a bad list of nodes tells the lines', async () => {
  const { kick, folder } = await place();
  const file = join(folder, 'nodes');
  writeFileSync(file, '# all\nweb1\nweb[2\n\nb/d\n');
  const { code, err } = await kick(['--nodes-file', file]);
  expect(code).toBe(2);
  expect(err).toMatch(/nodes:3: .*nodes:5: /s);
});

test('without a certificate it says what to do', async () => {
  const { kick } = await place({ certificate: false });
  const { code, err } = await kick(['web1']);
  expect(code).toBe(2);
  expect(err).toMatch(/there is no such file\nhint: this host needs a certificate/);
});

test('a key that may not be read says: run as root', async () => {
  const { kick, pki } = await place();
  chmodSync(join(pki, 'private_keys', `${NAME}.pem`), 0);
  const { code, err } = await kick(['web1'], { starter: WITHOUT_CAPABILITIES });
  expect(err).toMatch(/may not be read by this user\nhint: run as root/);
  expect(code).toBe(2);
});

test('a controller without pp_cli_auth is told so first, with the line for agent.yaml', async () => {
  const { kick } = await place({ ppCliAuth: false });
  const { err, code } = await kick(['--host', 'nosuch.invalid']);
  expect(err).toMatch(/^warning: agents do not trust puppet.example.com by default/);
  expect(err).toContain('controllers: [puppet.example.com]');
  expect(code).toBe(3);
});

test('a name that does not resolve is unreachable, and duplicates are one host', async () => {
  const { kick } = await place();
  const { out, code } = await kick(['nosuch.invalid', 'NOSUCH.invalid.', '--format', 'json']);
  expect(JSON.parse(out)).toMatchObject({
    exit: 3,
    hosts: [{ certname: 'nosuch.invalid', outcome: 'unreachable', failure: 'no-such-name' }],
  });
  expect(code).toBe(3);
});

test('names come from stdin, short ones get our domain, and --no-fqdn takes them as typed', async () => {
  const { kick } = await place();
  const names = async (words: string[], input?: string) => {
    const { out } = await kick([...words, '--format', 'json'], input === undefined ? {} : { input });
    return (JSON.parse(out) as { hosts: { certname: string }[] }).hosts.map(({ certname }) => certname);
  };
  expect(await names(['--nodes-file', '-'], 'nosuch1\nnosuch2.invalid # two\n')).toEqual([
    'nosuch1.example.com',
    'nosuch2.invalid',
  ]);
  expect(await names(['--host', 'nosuch1', '--no-fqdn'])).toEqual(['nosuch1']);
});

test('--quiet prints one mail when something is wrong', async () => {
  const { kick } = await place();
  const { out, code } = await kick(['nosuch.invalid', '--quiet', '--lock', 'nightly']);
  expect(out).toMatch(
    /^kick nightly: 1 of 1 hosts did not do as asked \(exit 3, job [0-9a-f]{8}\)\n\nunreachable {5}1 {2}nosuch.invalid\n/,
  );
  expect(code).toBe(3);
});

test('a lock that is held is exit 75 and names the holder', async () => {
  const { kick, folder } = await place();
  const { holdLock } = await import('../../src/util/lock-file.ts');
  const { systemClock } = await import('../../src/util/clock.ts');
  const held = await holdLock(join(folder, 'state', 'locks', 'nightly'), { label: 'x', clock: systemClock });
  const { code, err } = await kick(['web1', '--lock', 'nightly']);
  await held.release();
  expect(err).toMatch(new RegExp(`take the lock "nightly": it is held by pid ${process.pid}`));
  expect(code).toBe(75);
});

test('Puppet own spellings and what kick and mco users type are understood', async () => {
  const { kick } = await place();
  const words = ['nosuch.invalid', '--skip_tags', 'a,b', '--use_cached_catalog', '--show_diff', '--no-noop'];
  const { out } = await kick([
    ...words,
    '--tag',
    'x',
    '--parallel',
    '3',
    '--foreground',
    '--force',
    '--format',
    'json',
  ]);
  expect(JSON.parse(out)).toMatchObject({
    concurrency: 3,
    action: {
      ...{ op: 'run', noop: false, tags: ['x'], skipTags: ['a', 'b'] },
      ...{ useCachedCatalog: true, showDiff: true, ignoreschedules: true },
    },
  });
});

test('kick agent with a bad agent.yaml is exit 2 with all problems', async () => {
  const { etc, folder } = await place();
  writeFileSync(join(etc, 'agent.yaml'), 'port: x\ncontrollers: [UP]\nfly: 1\n');
  const folders = ['--state-dir', join(folder, 's'), '--run-dir', join(folder, 'r')];
  const { code, err } = await run(['agent', '--config-dir', etc, ...folders], { starter: [] });
  expect(code).toBe(2);
  expect(err).toMatch(/agent.yaml:1: port/);
  expect(err).toMatch(/agent.yaml:2: controllers.0/);
  expect(err).toMatch(/agent.yaml:3: fly/);
});
