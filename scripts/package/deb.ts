/** The Debian packages kick-agent and kick: by debhelper, from packaging/debian. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../tools/program.ts';
import { throwawayFolder } from '../../tools/throwaway-folder.ts';
import { copyrightText } from './copyright.ts';
import { maintainer } from './maintainer.ts';
import type { PackageOptions } from './package-options.ts';
import { writeSiteFiles } from './site-files.ts';

const OWN_COPYRIGHT = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: kick

Files: *
Copyright: 2026 The kick authors
License: Apache-2.0

License: Apache-2.0
 On Debian the full text is in /usr/share/common-licenses/Apache-2.0.
`;

/** Writes kick-agent_VERSION_ARCHITECTURE.deb and kick_VERSION_all.deb into `folder`. Throws if debhelper is not installed. */
export async function writeDebs(folder: string, options: PackageOptions): Promise<void> {
  const { architecture, version, date, compression = 'xz' } = options;
  const work = throwawayFolder({ prefix: 'kick-deb-' });
  try {
    const source = join(work.path, 'kick');
    await fillSource(source, options);
    execFileSync('debian/rules', ['binary'], {
      cwd: source,
      env: {
        PATH: process.env['PATH'],
        LC_ALL: 'C.UTF-8',
        SOURCE_DATE_EPOCH: String(date),
        DEB_HOST_ARCH: architecture,
        KICK_COMPRESSION: compression,
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    mkdirSync(folder, { recursive: true });
    for (const name of [`kick-agent_${version}_${architecture}.deb`, `kick_${version}_all.deb`])
      cpSync(join(work.path, name), join(folder, name));
  } finally {
    work.remove();
  }
}

async function fillSource(
  source: string,
  { tree, architecture, version, date, sbom }: PackageOptions,
): Promise<void> {
  cpSync(join(ROOT, 'packaging', 'debian'), join(source, 'debian'), { recursive: true });
  const control = join(source, 'debian', 'control');
  writeFileSync(control, readFileSync(control, 'utf8').replace('@MAINTAINER@', maintainer));
  cpSync(tree, join(source, 'tree'), { recursive: true });
  writeSiteFiles(join(source, 'gen'), {
    units: 'lib/systemd/system',
    zsh: 'usr/share/zsh/vendor-completions',
  });
  writeFileSync(join(source, 'debian', 'changelog'), changelog(version, date));
  writeFileSync(join(source, 'debian', 'kick.copyright'), OWN_COPYRIGHT);
  writeFileSync(join(source, 'debian', 'kick-agent.copyright'), await copyrightText(architecture));
  writeFileSync(join(source, 'gen', 'kick.cdx.json'), sbom);
}

function changelog(version: string, date: number): string {
  const when = new Date(date * 1000).toUTCString().replace('GMT', '+0000');
  return `kick (${version}) stable; urgency=medium\n\n  * What changed for its users is in CHANGELOG.md of the sources.\n\n -- ${maintainer()}  ${when}\n`;
}
