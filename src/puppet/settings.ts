/**
 * Puppet's own settings, so that nothing is configured twice. `puppet config print` takes 0.9 s, so its
 * answer is cached until something it depends on changes.
 */
import { type ExecFileException, execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as v from 'valibot';
import { KickError, messageOf } from '../errors.ts';
import { writeFileAtomic } from '../util/atomic-file.ts';
import { clippedSeconds, longText, measure, port, text } from '../util/bounds.ts';
import { formatProblems, problemsOf } from '../util/schema.ts';
import { systemPath } from '../util/search-path.ts';
import { parseStored, type StoredFormat, storedText } from '../util/stored-json.ts';
import { readTrusted } from '../util/trusted-file.ts';
import { makeTrustedFolder } from '../util/trusted-folder.ts';
import { programStamps, stampOf } from './program-stamp.ts';
import { firstComplaint, puppetErrorIn } from './puppet-words.ts';

const path = v.pipe(longText, v.regex(/^\//, 'not an absolute path'));

const PrintedSchema = v.object({
  certname: longText,
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
  /** Where the cached catalog is, its name and its format; null: JSON. */
  client_datadir: path,
  node_name_value: v.nullish(longText),
  catalog_cache_terminus: v.nullish(longText),
  /** The certificates signed by the CA on this machine, if there is one. */
  signeddir: path,
  /** The site's own log destination; null: syslog. */
  logdest: v.nullish(longText, null),
  /** Seconds; 0: no limit. */
  runtimeout: clippedSeconds,
  /** Puppet Server. */
  server: longText,
  /** Several servers, `a,b:8141`; empty: the one above. */
  server_list: longText,
  serverport: v.pipe(v.union([measure, text(16)]), v.transform(Number), port),
  /** Seconds between runs of Puppet's own daemon. */
  runinterval: clippedSeconds,
  /** Defaults to `production`. */
  environment: v.fallback(longText, ''),
  /** `a,b`; empty: the whole catalog is applied. */
  tags: v.fallback(longText, ''),
  skip_tags: v.fallback(longText, ''),
});

/** Answers that are not settings. */
const AnswerSchema = v.object({
  /** Puppet's own version, `7.23.0`. */
  version: longText,
  /** The error in its configuration that Puppet reported before it used its defaults. */
  complaint: v.optional(longText),
});

const CacheSchema = v.object({ key: longText, printed: PrintedSchema, answer: AnswerSchema });
export const CACHE = { schema: CacheSchema, version: 1 } satisfies StoredFormat<v.GenericSchema>;

export type PuppetSettings = v.InferOutput<typeof PrintedSchema> & v.InferOutput<typeof AnswerSchema>;

/** Milliseconds after which Puppet is asked again, since some changes are invisible (a program in a container). */
const MAX_AGE_MS = 3_600_000;

const MAX_CACHE_BYTES = 1 << 20;

/** Milliseconds that Puppet has to answer. */
const ANSWER_MS = 60_000;

export interface PuppetSettingsOptions {
  /** The absolute path of `puppet`, from `findPuppet`. */
  puppet: string;
  /** Where the answer is cached. */
  stateDir: string;
  /** Command-line options that change settings: `--statedir`, `/x`. Left out if Puppet refuses them. */
  words?: readonly string[];
}

/**
 * Returns Puppet's settings for the agent section, from the cache while it is valid. Throws `KickError`
 * `puppet` if Puppet does not answer or answers nonsense.
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
  const cached = readCache(cachePath);
  const asked = [...Object.keys(PrintedSchema.entries), ...words];
  // Changes with the program, puppet.conf, the host name and the user (docs/puppet.md, "Settings"), and what is asked for.
  const keyFor = (config: string, program = programKey(puppet)) =>
    JSON.stringify([program, ...surroundingsOf(config), asked.join(' ')]);
  if (cached !== undefined && cached.key === keyFor(cached.printed.config)) {
    return { ...cached.printed, ...cached.answer };
  }
  const from = Date.now();
  const program = programKey(puppet);
  const [{ printed, complaint }, version] = await Promise.all([printWith(puppet, words), askVersion(puppet)]);
  const answer = { version, ...(complaint !== undefined && { complaint }) };
  try {
    await makeTrustedFolder(stateDir, { doing: 'cache the settings of Puppet' });
    if (!hasChangedSince(printed.config, from)) {
      const key = keyFor(printed.config, program);
      await writeFileAtomic(cachePath, storedText({ key, printed, answer }, CACHE));
    }
  } catch {
    // If the folder cannot be written, or is not ours alone, each call takes a second.
    // Something else may be in the place of the file.
    await rm(cachePath, { recursive: true, force: true }).catch(() => {});
  }
  return { ...printed, ...answer };
}

function programKey(puppet: string): unknown {
  return [puppet, programStamps(puppet, systemPath())];
}

function surroundingsOf(config: string): unknown[] {
  return [config, stampOf(config), hostname(), process.getuid?.()];
}

/** Whether the file changed while Puppet was reading it, so that the answer may be for either version. */
function hasChangedSince(config: string, ms: number): boolean {
  return (statSync(config, { throwIfNoEntry: false })?.ctimeMs ?? 0) >= ms - CLOCK_TICK_MS;
}

/** File times may be this far behind the clock. */
const CLOCK_TICK_MS = 10;

function readCache(file: string): v.InferOutput<typeof CacheSchema> | undefined {
  try {
    const bytes = readTrusted(file, { doing: 'read the settings of Puppet', maxBytes: MAX_CACHE_BYTES });
    if (Math.abs(Date.now() - statSync(file).mtimeMs) > MAX_AGE_MS) return undefined;
    return parseStored(file, bytes, CACHE);
  } catch {
    return undefined;
  }
}

const run = promisify(execFile);

async function ask(puppet: string, args: string[]): Promise<{ stdout: string; stderr: string }> {
  try {
    return await run(puppet, args, {
      cwd: '/',
      timeout: ANSWER_MS,
      // A process that ignores TERM would be waited for for ever.
      killSignal: 'SIGKILL',
      maxBuffer: 1024 * 1024,
      env: puppetEnvironment(),
    });
  } catch (error) {
    throw new KickError('puppet', `ask "${puppet} ${args.slice(0, 2).join(' ')}": ${whyNot(error)}`, {
      hint: 'try the same command by hand, as the same user',
      cause: error,
    });
  }
}

/** Node's own message contains the whole command and all of its output. */
function whyNot(error: unknown): string {
  const { code, signal, killed, stderr } = error as ExecFileException & { stderr?: string };
  if (typeof code === 'string') return code === TOO_MUCH ? 'it prints without an end' : messageOf(error);
  if (killed === true) return `no answer in ${ANSWER_MS / 1000} s`;
  const how = typeof code === 'number' ? `it ended with exit code ${code}` : `it was ended by ${signal}`;
  return firstComplaint(stderr ?? '') ?? `${how} and said nothing`;
}

const TOO_MUCH = 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER';

interface Printed {
  printed: v.InferOutput<typeof PrintedSchema>;
  complaint: string | undefined;
}

/** Runs use the same words, and there a refusal becomes an outcome. */
async function printWith(puppet: string, words: readonly string[]): Promise<Printed> {
  try {
    return await print(puppet, words);
  } catch (error) {
    if (words.length === 0) throw error;
    return print(puppet, []);
  }
}

async function print(puppet: string, words: readonly string[]): Promise<Printed> {
  const keys = Object.keys(PrintedSchema.entries);
  const args = ['config', 'print', '--section', 'agent', '--render-as', 'json', ...keys];
  const { stdout, stderr } = await ask(puppet, [...args, ...words]);
  return { printed: settingsIn(stdout), complaint: puppetErrorIn(stderr) };
}

/** Of what `puppet config print` prints. Throws `KickError` `puppet`. */
export function settingsIn(stdout: string): v.InferOutput<typeof PrintedSchema> {
  let value: unknown;
  try {
    // Deprecation warnings may precede the document.
    value = JSON.parse(stdout.slice(Math.max(0, stdout.search(/^\{/m))));
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
  const text = (await ask(puppet, ['--version'])).stdout.trim();
  return /^[0-9][0-9A-Za-z.+-]{0,40}$/.test(text) ? text : 'unknown';
}

/**
 * A bare environment with systemd's PATH, the packages' folder and a UTF-8 locale. As for puppet.service,
 * HOME is only set for users other than root, whose own folders Puppet derives from it.
 */
export function puppetEnvironment(): Record<string, string> {
  return {
    PATH: systemPath(),
    LANG: 'C.UTF-8',
    ...(process.getuid?.() !== 0 && { HOME: homedir() }),
  };
}
