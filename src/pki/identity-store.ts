/** An identity that follows its files: certificates are renewed and CRLs replaced while the agent runs. */
import { isUntrusted, messageAndHint } from '../errors.ts';
import { type Clock, sleep } from '../util/clock.ts';
import { stampOf } from '../util/file-stamps.ts';
import type { Log } from '../util/log.ts';
import type { Identity, IdentityPaths } from './identity.ts';
import { loadIdentity } from './load-identity.ts';

const POLL_MS = 5000;
const REMIND_MS = 3_600_000;
const WARN_EVERY_MS = 86_400_000;

export interface IdentityWatchOptions {
  clock: Clock;
  log: Log;
  signal: AbortSignal;
  /** Milliseconds between checks of the files; defaults to 5 s. */
  pollMs?: number;
}

/**
 * Waits for a usable identity (first boot: Puppet makes the certificate later). Logs why it waits: at
 * once, when the reason changes, and once an hour. Undefined if `signal` aborts. Throws `KickError` `untrusted` for files
 * that others can change.
 */
export async function waitForIdentity(
  paths: IdentityPaths,
  { clock, log, signal, pollMs = POLL_MS }: IdentityWatchOptions,
): Promise<Identity | undefined> {
  let reported = '';
  let toldAt = 0;
  while (!signal.aborted) {
    try {
      return await loadIdentity(paths, { now: clock.now() });
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

export interface IdentityListener {
  /** Called with every new identity. */
  onChange(identity: Identity): void;
}

export interface IdentityWatch {
  /** Checks the files now (SIGHUP). */
  reload(): Promise<void>;
}

/**
 * Calls `onChange` with every new identity; if the new files are broken, the old identity stays, and the
 * log says why. Warns once a day of what expires soon. Ends with `signal`.
 */
export function watchIdentity(
  paths: IdentityPaths,
  first: Identity,
  { clock, log, signal, pollMs = POLL_MS, onChange }: IdentityWatchOptions & IdentityListener,
): IdentityWatch {
  let current = first;
  let seen: string | undefined;
  let warnedAt: number | undefined;

  function warn(): void {
    if (warnedAt !== undefined && clock.monotonic() - warnedAt < WARN_EVERY_MS) return;
    for (const warning of current.warnings) log.warn({ audit: 'expiry' }, warning);
    if (current.warnings.length > 0) warnedAt = clock.monotonic();
  }

  async function load(): Promise<void> {
    try {
      current = await loadIdentity(paths, { now: clock.now() });
      onChange(current);
      log.info({ certname: current.certname }, 'certificates and CRLs reloaded');
    } catch (error) {
      log.error({ reason: messageAndHint(error) }, 'cannot use the new certificates: the old ones stay');
    }
  }

  async function look(force: boolean): Promise<void> {
    const now = await stampOf(Object.values({ ...paths }));
    const hasChanged = seen !== undefined && seen !== now;
    seen = now;
    if (hasChanged || force) await load();
    warn();
  }

  void (async () => {
    while (!signal.aborted) {
      await look(false);
      await sleep(pollMs, signal);
    }
  })();
  return { reload: () => look(true) };
}
