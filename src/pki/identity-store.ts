/** An identity that follows its files: certificates are renewed and CRLs replaced while the agent runs. */
import { isUntrusted, messageAndHint } from '../errors.ts';
import { type Clock, sleep } from '../util/clock.ts';
import { stampOf } from '../util/file-stamps.ts';
import type { Log } from '../util/log.ts';
import type { Identity, IdentityPaths, Trust } from './identity.ts';
import { loadIdentity } from './load-identity.ts';

const POLL_MS = 5000;
const REMIND_MS = 3_600_000;
const WARN_EVERY_MS = 86_400_000;

export interface IdentityWatchOptions<T extends Trust = Identity> {
  clock: Clock;
  log: Log;
  signal: AbortSignal;
  /** What reads the files; defaults to `loadIdentity`. */
  load?: (paths: IdentityPaths, options: { now: number }) => Promise<T>;
  /** Milliseconds between checks of the files; defaults to 5 s. */
  pollMs?: number;
}

/** Without one, T is `Identity`. */
const loaderOf = <T extends Trust>({ load }: IdentityWatchOptions<T>) =>
  load ?? (loadIdentity as unknown as NonNullable<typeof load>);

/**
 * Waits for a usable identity (first boot: Puppet makes the certificate later). Logs why it waits: at
 * once, when the reason changes, and once an hour. Undefined if `signal` aborts. Throws `KickError` `untrusted` for files
 * that others can change.
 */
export async function waitForIdentity<T extends Trust = Identity>(
  paths: IdentityPaths,
  options: IdentityWatchOptions<T>,
): Promise<T | undefined> {
  const { clock, log, signal, pollMs = POLL_MS } = options;
  const load = loaderOf(options);
  let reported = '';
  let toldAt = 0;
  while (!signal.aborted) {
    try {
      return await load(paths, { now: clock.now() });
    } catch (error) {
      if (isUntrusted(error)) throw error;
      const why = messageAndHint(error);
      if (why !== reported || clock.monotonic() - toldAt >= REMIND_MS) {
        log.warn({ reason: why }, 'waiting for a usable certificate');
        reported = why;
        toldAt = clock.monotonic();
      }
    }
    await sleep(pollMs, signal);
  }
  return undefined;
}

export interface IdentityListener<T extends Trust = Identity> {
  /** Called with every new identity. */
  onChange(identity: T): void;
}

export interface IdentityWatch {
  /** Checks the files now (SIGHUP). */
  reload(): Promise<void>;
  /** Why the files as they are cannot be used, and an older identity still is; undefined if they can. */
  trouble(): string | undefined;
}

/**
 * Calls `onChange` with every new identity. While the files are broken (half written, or a key without its certificate yet),
 * the old identity stays; the log says why at once, when the reason changes, and once an hour. They are tried again at every
 * look: a mode that is mended, or a clock, changes no file. Warns once a day of what expires soon. Ends with `signal`.
 */
export function watchIdentity<T extends Trust = Identity>(
  paths: IdentityPaths,
  first: T,
  options: IdentityWatchOptions<T> & IdentityListener<T>,
): IdentityWatch {
  const { clock, log, signal, pollMs = POLL_MS, onChange } = options;
  const read = loaderOf(options);
  let current = first;
  let seen: string | undefined;
  let warnedAt: number | undefined;
  let trouble: string | undefined;
  let toldAt = 0;

  function warn(): void {
    if (warnedAt !== undefined && clock.monotonic() - warnedAt < WARN_EVERY_MS) return;
    for (const warning of current.warnings) log.warn({ audit: 'expiry' }, warning);
    if (current.warnings.length > 0) warnedAt = clock.monotonic();
  }

  async function load(): Promise<void> {
    try {
      const next = await read(paths, { now: clock.now() });
      onChange(next);
      current = next;
      trouble = undefined;
      log.info({ certname: current.certname }, 'certificates and CRLs reloaded');
    } catch (error) {
      const why = messageAndHint(error);
      if (why !== trouble || clock.monotonic() - toldAt >= REMIND_MS) {
        log.error({ reason: why }, 'cannot use the new certificates: the old ones stay');
        toldAt = clock.monotonic();
      }
      trouble = why;
    }
  }

  async function look(force: boolean): Promise<void> {
    const now = await stampOf(Object.values({ ...paths }));
    const hasChanged = seen !== undefined && seen !== now;
    seen = now;
    if (hasChanged || force || trouble !== undefined) await load();
    warn();
  }

  void (async () => {
    while (!signal.aborted) {
      await look(false);
      await sleep(pollMs, signal);
    }
  })();
  return { reload: () => look(true), trouble: () => trouble };
}
