/** The RPM packages kick-agent and kick: by rpmbuild, from packaging/rpm. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ROOT } from '../../tools/program.ts';
import { throwawayFolder } from '../../tools/throwaway-folder.ts';
import { copyrightText } from './copyright.ts';
import { maintainer } from './maintainer.ts';
import type { Architecture } from './node-runtime.ts';
import type { PackageOptions } from './package-options.ts';
import { writeSiteFiles } from './site-files.ts';

/** RPM's names of the processors. */
export const RPM_ARCHITECTURES: Readonly<Record<Architecture, string>> = {
  amd64: 'x86_64',
  arm64: 'aarch64',
};

const PAYLOADS = { xz: 'w6T2.xzdio', none: 'w0.gzdio' } as const;

/** Writes kick-agent-VERSION-1.PROCESSOR.rpm and kick-VERSION-1.noarch.rpm into `folder`. Throws if rpmbuild is not installed. */
export async function writeRpms(folder: string, options: PackageOptions): Promise<void> {
  const { tree, architecture, version, date, sbom, compression = 'xz' } = options;
  const work = throwawayFolder({ prefix: 'kick-rpm-' });
  try {
    const source = join(work.path, 'SOURCES');
    cpSync(tree, join(source, 'tree'), { recursive: true });
    writeSiteFiles(join(source, 'gen'), {
      units: 'usr/lib/systemd/system',
      zsh: 'usr/share/zsh/site-functions',
    });
    for (const name of ['kick', 'kick-agent']) {
      const licences = join(source, 'gen', name, 'usr/share/licenses', name);
      mkdirSync(licences, { recursive: true });
      cpSync(join(ROOT, 'LICENSE'), join(licences, 'LICENSE'));
      if (name === 'kick-agent')
        writeFileSync(join(licences, 'copyright'), await copyrightText(architecture));
    }
    const documents = join(source, 'gen/kick-agent/usr/share/doc/kick-agent');
    mkdirSync(documents, { recursive: true });
    writeFileSync(join(documents, 'kick.cdx.json'), sbom);
    const spec = join(work.path, 'kick.spec');
    writeFileSync(spec, specText(version, date));
    const processor = RPM_ARCHITECTURES[architecture];
    const defines = {
      _topdir: work.path,
      _rpmdir: join(work.path, 'RPMS'),
      _build_name_fmt: '%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm',
      _binary_payload: PAYLOADS[compression],
      kick_version: version,
      kick_maintainer: maintainer(),
    };
    execFileSync(
      'rpmbuild',
      [
        ...['-bb', '--quiet', '--target', `${processor}-linux`],
        ...Object.entries(defines).flatMap(([name, value]) => ['--define', `${name} ${value}`]),
        spec,
      ],
      {
        cwd: work.path,
        env: {
          PATH: process.env['PATH'],
          HOME: work.path,
          LC_ALL: 'C.UTF-8',
          SOURCE_DATE_EPOCH: String(date),
        },
        stdio: ['ignore', process.stderr, process.stderr],
      },
    );
    mkdirSync(folder, { recursive: true });
    for (const name of [`kick-agent-${version}-1.${processor}.rpm`, `kick-${version}-1.noarch.rpm`])
      cpSync(join(work.path, 'RPMS', name), join(folder, basename(name)));
  } finally {
    work.remove();
  }
}

/** With the changelog that tools expect. */
function specText(version: string, date: number): string {
  const text = readFileSync(join(ROOT, 'packaging/rpm/kick.spec'), 'utf8');
  const [day = '', number, month, year] = new Date(date * 1000).toUTCString().split(' ');
  const when = [day.replace(',', ''), month, number, year].join(' ');
  return `${text}\n%changelog\n* ${when} ${maintainer()} - ${version}-1\n- What changed for its users is in CHANGELOG.md of the sources.\n`;
}
