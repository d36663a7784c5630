/** Packages of this checkout in two versions, for the tests: quickly made, since they are not compressed. */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sourceDate } from '../../scripts/package/commit.ts';
import { writeDebs } from '../../scripts/package/deb.ts';
import { ownArchitecture } from '../../scripts/package/node-runtime.ts';
import { RPM_ARCHITECTURES, writeRpms } from '../../scripts/package/rpm.ts';
import { sbomText } from '../../scripts/package/sbom.ts';
import { writeTree } from '../../scripts/package/tree.ts';
import { version } from '../../src/cli/version.ts';
import { ROOT } from '../../tools/program.ts';

/** Of the version before ours: as if a part of it were not in ours any more. */
export const EARLIER = '0.0.9';
export const EARLIER_PART = 'of-the-version-before.mjs';
/** Of the one after ours. */
export const LATER = '0.9.9';

export interface PackageFiles {
  agent: string;
  controller: string;
}

/** Files by version. */
export interface BuiltPackages {
  debs: Readonly<Record<string, PackageFiles>>;
  rpms: Readonly<Record<string, PackageFiles>>;
}

export async function buildPackages(folder: string): Promise<BuiltPackages> {
  const tree = join(folder, 'tree');
  const architecture = ownArchitecture();
  await writeTree(tree, { architecture, origin: 'deb' });
  const sbom = await sbomText();
  const debs: Record<string, PackageFiles> = {};
  const rpms: Record<string, PackageFiles> = {};
  for (const one of [version(), EARLIER, LATER]) {
    const own = join(folder, one);
    cpSync(tree, own, { recursive: true });
    if (one !== version()) pretend(join(own, 'usr/lib/kick/parts'), one);
    const options = {
      tree: own,
      architecture,
      version: one,
      date: sourceDate(ROOT),
      sbom,
      compression: 'none',
    } as const;
    await writeDebs(folder, options);
    await writeRpms(folder, options);
    debs[one] = {
      agent: join(folder, `kick-agent_${one}_${architecture}.deb`),
      controller: join(folder, `kick_${one}_all.deb`),
    };
    rpms[one] = {
      agent: join(folder, `kick-agent-${one}-1.${RPM_ARCHITECTURES[architecture]}.rpm`),
      controller: join(folder, `kick-${one}-1.noarch.rpm`),
    };
  }
  return { debs, rpms };
}

/** The same program with another version. */
function pretend(parts: string, wanted: string): void {
  const stamp = `version:${JSON.stringify(version())},commit:`;
  const stamped = readdirSync(parts).filter((name) =>
    readFileSync(join(parts, name), 'utf8').includes(stamp),
  );
  if (stamped.length === 0) throw new Error(`no part of the bundle says its version: ${stamp}`);
  for (const name of stamped) {
    const text = readFileSync(join(parts, name), 'utf8');
    writeFileSync(join(parts, name), text.replace(stamp, stamp.replace(version(), wanted)));
  }
  if (wanted === EARLIER) writeFileSync(join(parts, EARLIER_PART), 'export {};\n');
}
