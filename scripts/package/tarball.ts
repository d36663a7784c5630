/** The tar.gz: the tree, manual pages, units, completion and licences, to be unpacked at / or at any other place. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ROOT } from '../../tools/program.ts';
import { throwawayFolder } from '../../tools/throwaway-folder.ts';
import { copyrightText } from './copyright.ts';
import type { Architecture } from './node-runtime.ts';
import { DROP_INS, writeSiteFiles } from './site-files.ts';

const UNITS = 'usr/lib/systemd/system';

export interface TarballOptions {
  /** Of the program, as writeTree has made it for `tar`. */
  tree: string;
  architecture: Architecture;
  version: string;
  /** Seconds since 1970. */
  date: number;
}

/** Writes kick-VERSION-linux-ARCHITECTURE.tar.gz into `folder`. */
export async function writeTarball(folder: string, options: TarballOptions): Promise<void> {
  const { tree, architecture, version, date } = options;
  const name = `kick-${version}-linux-${architecture}`;
  const work = throwawayFolder({ prefix: 'kick-tar-' });
  try {
    const [top, site] = [join(work.path, name), join(work.path, 'site')];
    cpSync(tree, top, { recursive: true });
    writeSiteFiles(site, { units: UNITS, zsh: 'usr/share/zsh/site-functions' });
    for (const part of ['kick-agent', 'kick']) cpSync(join(site, part), top, { recursive: true });
    const doc = join(top, 'usr/share/doc/kick');
    cpSync(join(site, 'examples'), join(doc, 'examples'), { recursive: true });
    // Unpacked over an earlier version, it must not replace the site's own.
    renameSync(join(top, 'etc/kick/agent.yaml'), join(doc, 'examples/agent.yaml'));
    rmSync(join(top, 'etc'), { recursive: true });
    // Only a controller needs them.
    for (const dropIn of DROP_INS) renameSync(join(top, UNITS, dropIn), join(doc, 'examples', dropIn));
    for (const file of ['LICENSE', 'README.md', 'CHANGELOG.md']) cpSync(join(ROOT, file), join(doc, file));
    writeFileSync(join(doc, 'copyright'), await copyrightText(architecture));
    addManual(join(site, 'man'), join(top, 'usr/share/man'));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${name}.tar.gz`), gzipSync(archive(work.path, name, date), { level: 9 }));
  } finally {
    work.remove();
  }
}

function addManual(from: string, to: string): void {
  for (const page of readdirSync(from)) {
    const section = join(to, `man${page.at(-1)}`);
    mkdirSync(section, { recursive: true });
    writeFileSync(join(section, page), readFileSync(join(from, page)));
  }
}

/** The same bytes for the same files: https://reproducible-builds.org/docs/archives */
function archive(parent: string, name: string, date: number): Buffer {
  const same = [
    '--sort=name',
    `--mtime=@${date}`,
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--format=gnu',
  ];
  const modes = '--mode=u=rwX,go=rX';
  return execFileSync('tar', ['-C', parent, ...same, modes, '-cf', '-', name], { maxBuffer: 1 << 30 });
}
