/** What kick needs at run time: what each package is for, what it brings, and under which licences. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

/** Every dependency in package.json, and no other. */
const WHAT_FOR: Readonly<Record<string, string>> = {
  '@nats-io/nats-core': 'the protocol of a NATS server',
  '@valibot/to-json-schema': "the API's OpenAPI document, from its schemas",
  commander: 'the command line',
  croner: 'when a schedule is due',
  express: "the agent's and the server's routes",
  helmet: "the page's security headers",
  jose: 'signatures: JWS of requests, and keys',
  'js-yaml': "configuration, inventories, and Puppet's reports",
  'node-forge': 'certificates: making and reading them',
  'openid-client': 'signing in by OpenID Connect',
  pino: "the agent's and the server's logs",
  'proper-lockfile': 'locks of jobs',
  valibot: 'schemas of all that comes from outside',
};

/** Licences that may be shipped beside Apache-2.0; npm's words. */
const LICENCES = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  'PSF-2.0',
  'Unlicense',
  '(BSD-3-Clause OR GPL-2.0)',
];

interface Locked {
  version: string;
  license?: string;
  hasInstallScript?: boolean;
  dependencies?: Record<string, string>;
}

export interface Dependency {
  name: string;
  version: string;
  licence: string;
  whatFor: string;
  /** How many packages it comes with, itself not counted. */
  brings: number;
}

const lock = (): Record<string, Locked> =>
  (JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as { packages: Record<string, Locked> })
    .packages;

/** Those of package.json, by name. Throws for one of which nobody said what it is for. */
export function directDependencies(): Dependency[] {
  const packages = lock();
  return Object.keys(packages['']?.dependencies ?? {}).map((name) => {
    const path = `node_modules/${name}`;
    const whatFor = WHAT_FOR[name];
    const { version, license = '' } = packages[path] ?? { version: '' };
    if (whatFor === undefined) throw new Error(`scripts/dependencies.ts does not say what ${name} is for`);
    return { name, version, licence: license, whatFor, brings: withAll(packages, path).size - 1 };
  });
}

/** What should not be among the packages of a kick that runs: each with its reason. */
export function objections(): string[] {
  const packages = lock();
  const unused = Object.keys(WHAT_FOR).filter((name) => packages['']?.dependencies?.[name] === undefined);
  return [
    ...unused.map((name) => `${name}: is no dependency`),
    ...[...shipped(packages)].flatMap((path) => {
      const { license = 'none', hasInstallScript } = packages[path] as Locked;
      return [
        ...(LICENCES.includes(license) ? [] : [`${path}: its licence is ${license}`]),
        ...(hasInstallScript === true ? [`${path}: has an install script`] : []),
      ];
    }),
  ];
}

/** How many packages a kick that runs has, all in all. */
export const runtimePackages = () => shipped(lock()).size;

/** Paths of all that dependencies need. */
function shipped(packages: Readonly<Record<string, Locked>>): Set<string> {
  const found = new Set<string>();
  for (const name of Object.keys(packages['']?.dependencies ?? {})) {
    withAll(packages, `node_modules/${name}`, found);
  }
  return found;
}

/** Paths of a package and of all that it needs. */
function withAll(
  packages: Readonly<Record<string, Locked>>,
  path: string,
  found = new Set<string>(),
): Set<string> {
  if (found.has(path)) return found;
  found.add(path);
  for (const name of Object.keys(packages[path]?.dependencies ?? {})) {
    const next = resolved(packages, path, name);
    if (next !== undefined) withAll(packages, next, found);
  }
  return found;
}

/** As Node looks for a package: in node_modules of the folder, then of those above it. */
function resolved(
  packages: Readonly<Record<string, Locked>>,
  from: string,
  name: string,
): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const path = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (packages[path] !== undefined) return path;
    if (folder === '') return undefined;
  }
}
