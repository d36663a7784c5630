/** What Puppet says about itself: kept while nothing has changed, and told in its own words where it fails. */
import { chmodSync, mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { puppetErrorIn } from '../../src/puppet/puppet-words.ts';
import { puppetSettings } from '../../src/puppet/settings.ts';
import { tempFolder } from '../support/temp.ts';
import { fixture } from './harness.ts';

function write(path: string, text: string): string {
  writeFileSync(path, text, { mode: 0o755 });
  chmodSync(path, 0o755);
  return path;
}

/** A program that is Puppet of this version, and counts how often it is asked for it. */
function program(path: string, version: string): string {
  return write(
    path,
    `#!/bin/sh\ncase $1 in --version) echo ${version}; echo x >>"${path}.asked"; exit;; esac\nexec '${fixture('fake-puppet')}' "$@"\n`,
  );
}

function place() {
  const folder = tempFolder();
  const stateDir = join(folder, 'state');
  mkdirSync(join(folder, 'puppet'));
  const real = join(folder, 'puppet', 'bin', 'puppet');
  mkdirSync(join(folder, 'puppet', 'bin'));
  return { folder, stateDir, real };
}

test.each([
  ['exec by its path', (real: string) => `#!/bin/sh\nexec ${real} "$@"\n`],
  ['quoted', (real: string) => `#!/bin/bash\nPROGRAM="${real}"\nexec "$PROGRAM" "$@"\n`],
  [
    'as the packages have it',
    (real: string) =>
      `#!/bin/sh\nunset LD_PRELOAD\nCOMMAND=\`basename "\${0}"\`\nexec ${join(real, '..')}/\${COMMAND} "$@"\n`,
  ],
])('a program behind a wrapper (%s) that is replaced is seen at once', async (_, wrapperOf) => {
  const { folder, stateDir, real } = place();
  program(real, '8.1.0');
  const wrapper = write(join(folder, 'wrapper.sh'), wrapperOf(real));
  mkdirSync(join(folder, 'bin'));
  const puppet = join(folder, 'bin', 'puppet');
  symlinkSync(wrapper, puppet);
  const version = async () => (await puppetSettings({ puppet, stateDir })).version;
  expect(await version()).toBe('8.1.0');
  expect(await version()).toBe('8.1.0');
  expect(readFileSync(`${real}.asked`, 'utf8')).toBe('x\n');
  program(real, '8.2.0');
  expect(await version()).toBe('8.2.0');
});

test('an upgrade of the library beside the program is seen', async () => {
  const { folder, stateDir, real } = place();
  const puppet = program(real, '$(cat "$(dirname "$0")/../lib/ruby/vendor_ruby/puppet/version.rb")');
  const library = join(folder, 'puppet', 'lib', 'ruby', 'vendor_ruby', 'puppet');
  mkdirSync(library, { recursive: true });
  writeFileSync(join(library, 'version.rb'), '8.1.0\n');
  const version = async () => (await puppetSettings({ puppet, stateDir })).version;
  expect(await version()).toBe('8.1.0');
  writeFileSync(join(library, 'version.rb'), '8.2.0\n');
  expect(await version()).toBe('8.2.0');
});

test('what cannot be seen from outside is asked anew after an hour', async () => {
  const { stateDir, real } = place();
  const puppet = program(real, '8.1.0');
  await puppetSettings({ puppet, stateDir });
  const cache = join(stateDir, 'puppet-settings.json');
  const hours = (count: number) => new Date(Date.now() - count * 3_600_000);
  utimesSync(cache, hours(0.9), hours(0.9));
  await puppetSettings({ puppet, stateDir });
  expect(readFileSync(`${real}.asked`, 'utf8')).toBe('x\n');
  utimesSync(cache, hours(1.1), hours(1.1));
  await puppetSettings({ puppet, stateDir });
  expect(readFileSync(`${real}.asked`, 'utf8')).toBe('x\nx\n');
});

const UPPER_CASE =
  '\\033[1;31mError: Could not initialize global default settings: Certificate names must be lower case\\033[0m\\n';

test.each([
  [UPPER_CASE, 'Could not initialize global default settings: Certificate names must be lower case'],
  ['Warning: old\\n   (location: x)\\n\\033[1;31mError: one\\nmore\\033[0m\\nError: two\\n', 'one'],
  [
    "/usr/lib/ruby/x.rb:3: warning: old\\n/usr/bin/puppet:5:in `require': cannot load such file -- puppet (LoadError)\\n\\tfrom y\\n",
    "/usr/bin/puppet:5:in `require': cannot load such file -- puppet (LoadError)",
  ],
  ['', 'it ended with exit code 1 and said nothing'],
])('stderr %j becomes one plain line', async (stderr, words) => {
  const { stateDir, real } = place();
  const puppet = write(real, `#!/bin/sh\nprintf '${stderr.replaceAll("'", "'\\''")}' >&2\nexit 1\n`);
  await expect(puppetSettings({ puppet, stateDir })).rejects.toMatchObject({
    code: 'puppet',
    message: expect.stringMatching(/^ask ".*puppet (config print|--version)": /),
  });
  await expect(puppetSettings({ puppet, stateDir })).rejects.toThrow(new RegExp(`: ${escaped(words)}$`));
});

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

test('an error that Puppet only told of, before it went by its defaults, is kept with its answer', async () => {
  const { stateDir, real } = place();
  const said =
    '\\033[1;31mError: Could not parse /etc/puppet/puppet.conf: Could not match line foo\\n (file: x, line: 1)\\033[0m\\n';
  const puppet = write(real, `#!/bin/sh\nprintf '${said}' >&2\nexec '${fixture('fake-puppet')}' "$@"\n`);
  const complaint = 'Could not parse /etc/puppet/puppet.conf: Could not match line foo';
  expect(await puppetSettings({ puppet, stateDir })).toMatchObject({ complaint });
  expect(await puppetSettings({ puppet, stateDir })).toMatchObject({ complaint });
  expect(puppetErrorIn('Warning: x\nNotice: y\n')).toBeUndefined();
});
