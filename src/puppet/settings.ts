/**
 * What Puppet itself says of its paths and names, so that nothing is configured twice.
 * `puppet config print` takes 0.9 s: its answer is kept until something it depends on changes.
 */
import { type ExecFileException, execFile } from 'node:child_process';
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
import { programStamps, stampOf } from './program-stamp.ts';
import { firstComplaint, puppetErrorIn } from './puppet-words.ts';

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

/** What is no setting. */
const AnswerSchema = v.object({
  /** Puppet's own version, `7.23.0`. */
  version: v.string(),
  /** The error that Puppet told of its configuration and then went by its defaults. */
  complaint: v.optional(v.string()),
});

const CacheSchema = v.object({ key: v.string(), printed: PrintedSchema, answer: AnswerSchema });

export type PuppetSettings = v.InferOutput<typeof PrintedSchema> & v.InferOutput<typeof AnswerSchema>;

/** Milliseconds: what cannot be seen from outside (a program in a container) is asked anew after that. */
const MAX_AGE_MS = 3_600_000;

/** Milliseconds that Puppet is given. */
const ANSWER_MS = 60_000;

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
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
    if (!hasChangedSince(printed.config, from)) {
      const key = keyFor(printed.config, program);
      await writeFileAtomic(cachePath, JSON.stringify({ key, printed, answer }));
    }
  } catch {
    // A folder that cannot be written costs a second each time, nothing more.
  }
  return { ...printed, ...answer };
}

function programKey(puppet: string): unknown {
  return [puppet, programStamps(puppet, PATH)];
}

function surroundingsOf(config: string): unknown[] {
  return [config, stampOf(config), hostname(), process.getuid?.()];
}

/** Then nobody knows which of the two Puppet has read. */
function hasChangedSince(config: string, ms: number): boolean {
  return (statSync(config, { throwIfNoEntry: false })?.ctimeMs ?? 0) >= ms - CLOCK_TICK_MS;
}

/** Times of files may lie so much behind the clock. */
const CLOCK_TICK_MS = 10;

async function readCache(file: string): Promise<v.InferOutput<typeof CacheSchema> | undefined> {
  try {
    if (whoElseCanWrite(file) !== undefined) return undefined;
    if (Math.abs(Date.now() - statSync(file).mtimeMs) > MAX_AGE_MS) return undefined;
    return v.parse(CacheSchema, JSON.parse(await readFile(file, 'utf8')));
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
      // One that does not listen would be waited for without an end.
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

/** Node's message is the whole command and all that was printed. */
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

/** Its runs meet the same words: there a refusal becomes an outcome. */
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
  let value: unknown;
  try {
    // Deprecation warnings may stand before the document.
    value = JSON.parse(stdout.slice(Math.max(0, stdout.search(/^\{/m))));
  } catch (error) {
    throw new KickError('puppet', 'read "puppet config print": it is not JSON', { cause: error });
  }
  const parsed = v.safeParse(PrintedSchema, value);
  if (!parsed.success) {
    throw new KickError('puppet', `read "puppet config print": ${formatProblems(problemsOf(parsed.issues))}`);
  }
  return { printed: parsed.output, complaint: puppetErrorIn(stderr) };
}

async function askVersion(puppet: string): Promise<string> {
  const text = (await ask(puppet, ['--version'])).stdout.trim();
  return /^[0-9][0-9A-Za-z.+-]{0,40}$/.test(text) ? text : 'unknown';
}

/** Systemd's, and the packages' folder. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/puppetlabs/bin';

/**
 * A bare environment with systemd's PATH, the packages' folder and a UTF-8 locale; HOME only where
 * we are not root (as for puppet.service): Puppet chooses a user's own folders by it.
 */
export function puppetEnvironment(): Record<string, string> {
  return {
    PATH,
    LANG: 'C.UTF-8',
    ...(process.getuid?.() !== 0 && { HOME: homedir() }),
  };
}
