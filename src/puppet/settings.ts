/**
 * What Puppet itself says of its paths and names, so that nothing is configured twice.
 * `puppet config print` takes 0.9 s: its answer is kept until something it depends on changes.
 */
import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as v from 'valibot';
import { KickError, messageOf } from '../errors.ts';
import { writeFileAtomic } from '../util/atomic-file.ts';
import { formatProblems, problemsOf } from '../util/schema.ts';
import { whoElseCanWrite } from '../util/trusted-path.ts';

const path = v.pipe(v.string(), v.regex(/^\//, 'not an absolute path'));

const PrintedSchema = v.object({
  certname: v.string(),
  confdir: path,
  config: path,
  hostcert: path,
  hostprivkey: path,
  localcacert: path,
  hostcrl: path,
  agent_catalog_run_lockfile: path,
  agent_disabled_lockfile: path,
  lastrunreport: path,
  classfile: path,
  /** Where the cached catalog lies, under what name, and in which format; null: JSON. */
  client_datadir: path,
  node_name_value: v.nullish(v.string()),
  catalog_cache_terminus: v.nullish(v.string()),
  /** Certificates that the CA on this machine has signed, if it is one. */
  signeddir: path,
  /** Where the site's own log goes; null: syslog. */
  logdest: v.nullish(v.string(), null),
  /** Seconds; 0: no limit. */
  runtimeout: v.pipe(v.number(), v.minValue(0)),
  /** Puppet Server. */
  server: v.string(),
  /** Several of them, `a,b:8141`; empty: the one above. */
  server_list: v.string(),
  serverport: v.pipe(v.union([v.number(), v.string()]), v.transform(Number), v.integer()),
  /** Seconds between the runs of Puppet's own daemon. */
  runinterval: v.pipe(v.number(), v.minValue(0)),
  /** `production` where nothing is said. */
  environment: v.fallback(v.string(), ''),
  /** `a,b`; empty: all of a catalog is applied. */
  tags: v.fallback(v.string(), ''),
  skip_tags: v.fallback(v.string(), ''),
});

const CacheSchema = v.object({ key: v.string(), version: v.string(), printed: PrintedSchema });

export type PuppetSettings = v.InferOutput<typeof PrintedSchema> & {
  /** Puppet's own version, `7.23.0`. */
  version: string;
};

export interface PuppetSettingsOptions {
  /** The absolute path of `puppet`, as `findPuppet` gives it. */
  puppet: string;
  /** Where the answer is kept. */
  stateDir: string;
  /** Of the command line, where they change settings: `--statedir`, `/x`. Left out where Puppet refuses them. */
  words?: readonly string[];
}

/**
 * Puppet's settings for the agent section, from the cache where it still holds. Throws `KickError`
 * `puppet` when Puppet does not answer or answers nonsense.
 */
export async function puppetSettings({
  puppet,
  stateDir,
  words = [],
}: PuppetSettingsOptions): Promise<PuppetSettings> {
  const cachePath = join(
    stateDir,
    words.length === 0 ? 'puppet-settings.json' : 'puppet-service-settings.json',
  );
  const cached = await readCache(cachePath);
  const keyFor = (config: string) => cacheKey({ puppet, config, words });
  if (cached !== undefined && cached.key === keyFor(cached.printed.config)) {
    return { ...cached.printed, version: cached.version };
  }
  const [printed, version] = await Promise.all([printWith(puppet, words), askVersion(puppet)]);
  try {
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
    const key = keyFor(printed.config);
    await writeFileAtomic(cachePath, JSON.stringify({ key, version, printed }));
  } catch {
    // A folder that cannot be written costs a second each time, nothing more.
  }
  return { ...printed, version };
}

interface Asked {
  puppet: string;
  config: string;
  words: readonly string[];
}

/** Changes when puppet.conf, the binary, the host name or the user changes (facts/puppet.md), or what is asked for. */
function cacheKey({ puppet, config, words }: Asked): string {
  const asked = [...Object.keys(PrintedSchema.entries), ...words];
  return JSON.stringify([
    ...[puppet, stamp(puppet), config, stamp(config), hostname(), process.getuid?.(), asked.join(' ')],
  ]);
}

function stamp(file: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
    return `${ino}.${size}.${mtimeNs}.${ctimeNs}`;
  } catch {
    return 'absent';
  }
}

async function readCache(file: string): Promise<v.InferOutput<typeof CacheSchema> | undefined> {
  try {
    if (whoElseCanWrite(file) !== undefined) return undefined;
    return v.parse(CacheSchema, JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return undefined;
  }
}

const run = promisify(execFile);

async function ask(puppet: string, args: string[]): Promise<string> {
  try {
    const { stdout } = await run(puppet, args, {
      cwd: '/',
      timeout: 60_000,
      maxBuffer: 1024 * 1024,
      env: puppetEnvironment(),
    });
    return stdout;
  } catch (error) {
    throw new KickError('puppet', `ask "${puppet} ${args.slice(0, 2).join(' ')}": ${messageOf(error)}`, {
      hint: 'try the same command by hand, as the same user',
      cause: error,
    });
  }
}

/** Its runs meet the same words: there a refusal becomes an outcome. */
async function printWith(
  puppet: string,
  words: readonly string[],
): Promise<v.InferOutput<typeof PrintedSchema>> {
  try {
    return await print(puppet, words);
  } catch (error) {
    if (words.length === 0) throw error;
    return print(puppet, []);
  }
}

async function print(puppet: string, words: readonly string[]): Promise<v.InferOutput<typeof PrintedSchema>> {
  const keys = Object.keys(PrintedSchema.entries);
  const args = ['config', 'print', '--section', 'agent', '--render-as', 'json', ...keys];
  const text = await ask(puppet, [...args, ...words]);
  let value: unknown;
  try {
    // Deprecation warnings may stand before the document.
    value = JSON.parse(text.slice(Math.max(0, text.indexOf('{'))));
  } catch (error) {
    throw new KickError('puppet', 'read "puppet config print": it is not JSON', { cause: error });
  }
  const parsed = v.safeParse(PrintedSchema, value);
  if (!parsed.success) {
    throw new KickError('puppet', `read "puppet config print": ${formatProblems(problemsOf(parsed.issues))}`);
  }
  return parsed.output;
}

async function askVersion(puppet: string): Promise<string> {
  const text = (await ask(puppet, ['--version'])).trim();
  return /^[0-9][0-9A-Za-z.+-]{0,40}$/.test(text) ? text : 'unknown';
}

/**
 * A bare environment with systemd's PATH, the packages' folder and a UTF-8 locale; HOME only where
 * we are not root (as for puppet.service): Puppet chooses a user's own folders by it.
 */
export function puppetEnvironment(): Record<string, string> {
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/puppetlabs/bin',
    LANG: 'C.UTF-8',
    ...(process.getuid?.() !== 0 && { HOME: homedir() }),
  };
}
