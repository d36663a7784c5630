/** The list of what is inside, as CycloneDX: npm's own, of the packages that are in ours, and Node. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../tools/program.ts';
import { PACKAGED_NODE } from '../nodes.ts';
import { packagesInside } from './contents.ts';

interface Component {
  'bom-ref': string;
  name: string;
  scope?: string;
}

interface Sbom {
  serialNumber?: string;
  metadata: { timestamp?: string; component: Component };
  components: Component[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

/** The whole file; the same for the same commit: without the time and the number that npm gives it. */
export async function sbomText(): Promise<string> {
  const words = ['sbom', '--sbom-format', 'cyclonedx'];
  const text = execFileSync('npm', words, { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 26 });
  const { serialNumber: _number, ...sbom } = JSON.parse(text) as Sbom;
  const { timestamp: _time, component, ...metadata } = sbom.metadata;
  const inside = new Set((await packagesInside()).map(refOf));
  const isIn = (ref: string) => inside.has(ref) || ref === component['bom-ref'];
  const node = {
    'bom-ref': `node@${PACKAGED_NODE}`,
    ...{ type: 'platform', name: 'node', version: PACKAGED_NODE, scope: 'required' },
    purl: `pkg:generic/node@${PACKAGED_NODE}`,
    licenses: [{ license: { name: 'Node.js' } }],
  };
  // npm names the program by its folder, and what the page is made of as needed only to build it.
  const components = sbom.components
    .filter((one) => inside.has(one['bom-ref']))
    .map((one) => ({ ...one, scope: 'required' }));
  const missing = [...inside].filter((ref) => !components.some((one) => one['bom-ref'] === ref));
  if (missing.length > 0) throw new Error(`npm sbom does not name ${missing.join(', ')}`);
  const whole = {
    ...sbom,
    metadata: { ...metadata, component: { ...component, type: 'application', name: 'kick' } },
    components: [node, ...components],
    dependencies: sbom.dependencies
      .filter(({ ref }) => isIn(ref))
      .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter(isIn) })),
  };
  return `${JSON.stringify(whole, undefined, 2)}\n`;
}

function refOf(folder: string): string {
  const { name, version } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
  };
  return `${name}@${version}`;
}
