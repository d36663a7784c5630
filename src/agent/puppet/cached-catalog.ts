/**
 * The catalog that Puppet applies with --use_cached_catalog. If Puppet cannot use it, it fetches a new one and merely
 * logs that (lib/puppet/configurer.rb, run_internal), so it is checked before the run starts.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { KickError, messageOf, systemCode } from '../../errors.ts';
import type { RunAction } from '../../protocol/request.ts';
import type { PuppetSettings } from '../../puppet/settings.ts';
import { text } from '../../util/bounds.ts';
import { safeText } from '../../util/text.ts';

const MAX_BYTES = 128 << 20;
const MAX_MS = 60_000;
const MAX_ANSWER = 16 * 1024;

/**
 * A catalog may have many megabytes, and several times as many when parsed; in a separate process that costs the agent no
 * memory. It prints only what is to be compared.
 */
export const READER = `
const text = require('node:fs').readFileSync(0, 'utf8');
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const textOf = (value) => (typeof value === 'string' ? value.slice(0, 300) : '');
const areThose = (list, keys) =>
  Array.isArray(list) && list.every((one) => isObject(one) && keys.every((key) => typeof one[key] === 'string'));
function look() {
  let catalog;
  try { catalog = JSON.parse(text); } catch { return { isJson: false, isCatalog: false, name: '', environment: '' }; }
  const isCatalog = isObject(catalog) && areThose(catalog.resources, ['type', 'title']) &&
    (catalog.edges === undefined || areThose(catalog.edges, ['source', 'target']));
  const { name, environment } = isCatalog ? catalog : {};
  return { isJson: true, isCatalog, name: textOf(name), environment: textOf(environment) };
}
console.log(JSON.stringify(look()));
`;

export const FoundSchema = v.object({
  isJson: v.boolean(),
  isCatalog: v.boolean(),
  name: text(300),
  environment: text(300),
});
type Found = v.InferOutput<typeof FoundSchema>;

/**
 * Why Puppet cannot apply the cached catalog, as a sentence; undefined if it can, or if the catalog has a format that
 * only Puppet can read. `environment`: what the catalog's must be, if given. Never throws.
 */
export async function cachedCatalogProblem(
  settings: PuppetSettings,
  environment?: string,
): Promise<string | undefined> {
  const { client_datadir: folder, catalog_cache_terminus: terminus } = settings;
  if (terminus !== undefined && terminus !== null && terminus !== 'json') return undefined;
  // lib/puppet/indirector/json.rb, path
  const name = settings.node_name_value ?? settings.certname;
  return problemOf(join(folder, 'catalog', `${name}.json`), { name, environment });
}

/** Refuses a run that Puppet would do with a new catalog instead. Throws `KickError` `puppet`. */
export async function requireCachedCatalog(
  settings: PuppetSettings,
  { useCachedCatalog, environment }: RunAction,
): Promise<void> {
  if (useCachedCatalog !== true) return;
  const problem = await cachedCatalogProblem(settings, environment);
  if (problem === undefined) return;
  throw new KickError('puppet', `apply the cached catalog: ${problem}`, {
    hint: 'kick it without --use-cached-catalog: that run caches its catalog',
  });
}

async function problemOf(
  path: string,
  { name, environment }: { name: string; environment?: string | undefined },
): Promise<string | undefined> {
  let catalog: Found;
  try {
    catalog = await look(path);
  } catch (error) {
    const isMissing = ['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '');
    return isMissing ? `there is none ("${path}")` : `look at "${path}": ${messageOf(error)}`;
  }
  if (!catalog.isJson) return `"${path}" is not whole: it cannot be read as JSON`;
  if (!catalog.isCatalog) return `"${path}" is not a catalog`;
  if (catalog.name !== name) return `"${path}" is of "${safeText(catalog.name)}", not of "${name}"`;
  if (environment === undefined || catalog.environment === environment) return undefined;
  return `it is of the environment "${safeText(catalog.environment)}", not "${environment}"`;
}

async function look(path: string): Promise<Found> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw new Error('it is not a file');
    if (found.size > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES >> 20} MB`);
    return await read(handle.fd);
  } finally {
    await handle.close();
  }
}

/** Throws if it cannot be read. */
async function read(fd: number): Promise<Found> {
  const reader = spawn(process.execPath, ['-e', READER], {
    cwd: '/',
    env: {},
    stdio: [fd, 'pipe', 'ignore'],
    timeout: MAX_MS,
    killSignal: 'SIGKILL',
  });
  let answer = '';
  reader.stdout?.on('data', (chunk: Buffer) => {
    if (answer.length < MAX_ANSWER) answer += chunk.toString('utf8');
  });
  const [code, signal] = await once(reader, 'close');
  if (code !== 0) throw new Error(`its reader ended with ${code ?? signal}`);
  return v.parse(FoundSchema, JSON.parse(answer));
}
