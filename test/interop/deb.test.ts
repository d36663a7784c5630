/**
 * The Debian packages by Debian's own tools, without installing them: test/packages does that, where it can. A small program
 * stands in for Node, which takes lintian a quarter of a minute.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { writeDebs } from '../../scripts/package/deb.ts';
import { maintainer } from '../../scripts/package/maintainer.ts';
import { ownArchitecture } from '../../scripts/package/node-runtime.ts';
import { sbomText } from '../../scripts/package/sbom.ts';
import { writeTree } from '../../scripts/package/tree.ts';
import { version } from '../../src/cli/version.ts';
import { throwawayFolder } from '../../tools/throwaway-folder.ts';

const architecture = ownArchitecture();
let folder = '';
let agent = '';
let controller = '';

beforeAll(async () => {
  const work = throwawayFolder({ prefix: 'kick-deb-test-' });
  folder = work.path;
  const tree = join(folder, 'tree');
  await writeTree(tree, { architecture, origin: 'deb' });
  copyFileSync('/bin/true', join(tree, 'usr/lib/kick/node'));
  const sbom = await sbomText();
  const options = { tree, architecture, version: version(), date: 1_700_000_000, sbom } as const;
  await writeDebs(folder, { ...options, compression: 'none' });
  agent = join(folder, `kick-agent_${version()}_${architecture}.deb`);
  controller = join(folder, `kick_${version()}_all.deb`);
  return () => work.remove();
});

const dpkgDeb = (...words: string[]) =>
  execFileSync('dpkg-deb', words, { encoding: 'utf8', maxBuffer: 2 ** 24 });

test('lintian has nothing to say', () => {
  const uncompressed = 'uses-no-compression-for-control-tarball,uses-no-compression-for-data-tarball';
  const words = ['--allow-root', '--suppress-tags', uncompressed, agent, controller];
  expect(spawnSync('lintian', words, { encoding: 'utf8' })).toMatchObject({ stdout: '', status: 0 });
});

test('control: who maintains it, for which processor, and what each package needs', () => {
  const field = (file: string, name: string) => dpkgDeb('--field', file, name).trim();
  for (const file of [agent, controller]) expect(field(file, 'Maintainer')).toBe(maintainer());
  expect(field(agent, 'Architecture')).toBe(architecture);
  expect(field(agent, 'Depends')).toContain('libc6 (>= 2.28)');
  expect(field(controller, 'Depends')).toContain(`kick-agent (>= ${version()})`);
});

test('what an operator may edit is a conffile, and nothing else is', () => {
  const conffiles = [agent, controller].map((file, index) => {
    const control = join(folder, `control-${index}`);
    dpkgDeb('--control', file, control);
    return readdirSync(control).includes('conffiles') ? readFileSync(join(control, 'conffiles'), 'utf8') : '';
  });
  expect(conffiles).toEqual(['/etc/kick/agent.yaml\n', '']);
});

test("everything is root's, nobody else may write it, and the units, pages and lists are there", () => {
  const files = [agent, controller].flatMap((file) => dpkgDeb('--contents', file).trim().split('\n'));
  expect(files.filter((line) => !/^[-d]rw[x-]r-[x-]r-[x-] root\/root /.test(line))).toEqual([]);
  const paths = files.map((line) => line.replace(/^.* \.\//, '/'));
  expect(paths).toEqual(
    expect.arrayContaining([
      ...['/usr/bin/kick', '/usr/lib/kick/node', '/usr/lib/kick/kick.mjs', '/usr/lib/kick/page/index.html'],
      ...['/lib/systemd/system/kick-agent.service', '/lib/systemd/system/kick-agent.socket'],
      ...['/lib/systemd/system/kick-serve.service', '/lib/systemd/system/kick-pki.service'],
      ...['/usr/share/man/man1/kick.1.gz', '/usr/share/man/man8/kick-agent.8.gz'],
      ...['/usr/share/man/man5/kick-agent.yaml.5.gz', '/usr/share/man/man5/kick-controller.yaml.5.gz'],
      ...['/usr/share/bash-completion/completions/kick', '/usr/share/zsh/vendor-completions/_kick'],
      ...['/usr/share/fish/vendor_completions.d/kick.fish', '/usr/share/doc/kick/examples/kick.cron'],
      ...['/usr/share/doc/kick-agent/copyright', '/usr/share/doc/kick/copyright'],
    ]),
  );
  expect(paths.filter((path) => path.includes('cdx.json'))).toHaveLength(1);
});
