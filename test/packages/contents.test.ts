/** What the packages are, without installing them, and nothing that Debian's checkers complain of. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { writeDebs } from '../../scripts/package/deb.ts';
import { ownArchitecture } from '../../scripts/package/node-runtime.ts';
import { RPM_ARCHITECTURES, writeRpms } from '../../scripts/package/rpm.ts';
import { writeTree } from '../../scripts/package/tree.ts';
import { version } from '../../src/cli/version.ts';
import { ROOT } from '../../tools/program.ts';
import { tempFolder } from '../support/temp.ts';

const { debs, rpms } = inject('packages');
const files = (of: typeof debs) => Object.values(of[version()] ?? {});

/** The paths in a package, sorted, without what each format has of its own: folders, documents. */
function filesIn(file: string): string[] {
  const [program, ...words]: [string, ...string[]] = file.endsWith('.deb')
    ? ['dpkg-deb', '--contents', file]
    : ['rpm', '-qpl', file];
  return (
    execFileSync(program, words, { encoding: 'utf8', maxBuffer: 2 ** 24 })
      .split('\n')
      // Units and functions of zsh have other folders.
      .map((line) =>
        (/\.?(\/\S+[^/\s])$/.exec(line)?.[1] ?? '')
          .replace(/^\/lib\//, '/usr/lib/')
          .replace('vendor-completions', 'site-functions'),
      )
      .filter(
        (path) =>
          /^\/(etc|usr)\/.*\./.test(path) && !/\/(doc|licenses|lintian)\//.test(path) && !path.endsWith('.d'),
      )
      .sort()
  );
}

test('each file is in one package, and both formats bring the same', () => {
  const [debAgent = [], debController = []] = files(debs).map(filesIn);
  const [rpmAgent, rpmController] = files(rpms).map(filesIn);
  for (const unit of ['kick-agent', 'kick-helper'])
    expect(debController).toContain(`/usr/lib/systemd/system/${unit}.service.d/controller.conf`);
  expect(debAgent.filter((path) => debController.includes(path))).toEqual([]);
  expect(rpmAgent).toEqual(debAgent);
  expect(rpmController).toEqual(debController);
});

test('those of the other processor bring the same files, with a Node for it', async () => {
  const architecture = ownArchitecture() === 'arm64' ? 'amd64' : 'arm64';
  const folder = tempFolder();
  const other = join(folder, 'tree');
  await writeTree(other, { architecture, origin: 'deb' });
  const elf = readFileSync(join(other, 'usr/lib/kick/node')).subarray(0, 20);
  expect(elf.readUInt16LE(18)).toBe({ amd64: 0x3e, arm64: 0xb7 }[architecture]);
  const options = {
    tree: other,
    architecture,
    version: version(),
    date: 1_700_000_000,
    sbom: '{}',
    compression: 'none',
  } as const;
  await writeDebs(folder, options);
  await writeRpms(folder, options);
  const [deb = '', rpm = ''] = readdirSync(folder)
    .filter((name) => name.startsWith('kick-agent'))
    .sort((one) => (one.endsWith('.deb') ? -1 : 1))
    .map((name) => join(folder, name));
  expect(filesIn(deb)).toEqual(filesIn(files(debs)[0] ?? ''));
  expect(filesIn(rpm)).toEqual(filesIn(deb));
  expect(execFileSync('dpkg-deb', ['--field', deb, 'Architecture'], { encoding: 'utf8' }).trim()).toBe(
    architecture,
  );
  const arch = execFileSync('rpm', ['-qp', '--queryformat', '%{ARCH}', rpm], { encoding: 'utf8' });
  expect(arch).toBe(RPM_ARCHITECTURES[architecture]);
  // dpkg's refusal is tried on a machine.
  const words = ['--force-debian', '--nodeps', '--root', tempFolder(), '-U', '--test', rpm];
  expect(spawnSync('rpm', words, { encoding: 'utf8' })).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('is intended for a different architecture'),
  });
});

test('kick is content with a newer kick-agent, so that one alone can be upgraded', () => {
  const [deb = ''] = files(debs).slice(1);
  const [rpm = ''] = files(rpms).slice(1);
  const depends = execFileSync('dpkg-deb', ['--field', deb, 'Depends'], { encoding: 'utf8' });
  expect(depends).toContain(`kick-agent (>= ${version()})`);
  const requires = execFileSync('rpm', ['-qp', '--requires', rpm], { encoding: 'utf8' });
  expect(requires).toContain(`kick-agent >= ${version()}\n`);
});

test('lintian has nothing to say', () => {
  const { stdout } = spawnSync(
    'lintian',
    // Uncompressed only here.
    [
      '--allow-root',
      '--suppress-tags',
      'uses-no-compression-for-control-tarball,uses-no-compression-for-data-tarball',
      ...files(debs),
    ],
    { encoding: 'utf8' },
  );
  expect(stdout).toBe('');
});

test('rpmlint has nothing to say', () => {
  const { stdout } = spawnSync('rpmlint', ['-c', join(ROOT, 'packaging/rpm/rpmlint.toml'), ...files(rpms)], {
    encoding: 'utf8',
  });
  expect(stdout).toContain('2 packages and 0 specfiles checked; 0 errors, 0 warnings');
});

test('systemd accepts the units; kick serve is sandboxed, the agent by design is not', () => {
  const root = tempFolder();
  for (const file of files(debs)) execFileSync('dpkg-deb', ['-x', file, root]);
  const units = join(root, 'lib/systemd/system');
  mkdirSync(join(root, 'bin'));
  cpSync('/bin/sh', join(root, 'bin/sh'), { dereference: true });
  const analyze = (...words: string[]) => spawnSync('systemd-analyze', words, { encoding: 'utf8' });
  for (const name of readdirSync(units).filter((one) => /\.(service|socket)$/.test(one))) {
    const { stderr } = analyze('verify', '--man=no', '--recursive-errors=no', '--root', root, name);
    expect(stderr.split('\n').filter((line) => line.includes('kick'))).toEqual([]);
  }
  const exposure = (unit: string, most: string) =>
    analyze('security', '--offline=true', '--no-pager', `--threshold=${most}`, join(units, unit)).status;
  expect(exposure('kick-serve.service', '30')).toBe(0);
  expect(exposure('kick-agent.service', '96')).toBe(0);
});
