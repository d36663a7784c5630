/** An identity that follows its files: certificates are renewed and CRLs replaced under a running agent. */
import { stat } from 'node:fs/promises';
import { messageOf } from '../errors.ts';
import { type Clock, sleep } from '../util/clock.ts';
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
  /** Milliseconds between two looks at the files; 5 s unless told. */
  pollMs?: number;
}

/**
 * Waits until there is an identity that can be used (first boot: Puppet makes the certificate
 * later). Tells why it waits at once, when the reason changes, and once an hour. Undefined when
 * `signal` aborts.
 */
export async function waitForIdentity(
  paths: IdentityPaths,
  { clock, log, signal, pollMs = POLL_MS }: IdentityWatchOptions,
): Promise<Identity | undefined> {
  let told = '';
  let toldAt = 0;
  while (!signal.aborted) {
    try {
      return await loadIdentity(paths, { now: clock.now() });
    } catch (error) {
      const why = messageOf(error);
      if (why !== told || clock.monotonic() - toldAt >= REMIND_MS) {
        log.warn({ reason: why }, 'waiting for a certificate that can be used');
        told = why;
        toldAt = clock.monotonic();
      }
    }
    await sleep(pollMs, signal);
  }
  return undefined;
}

export interface IdentityWatch {
  /** Looks at the files now (SIGHUP). */
  reload(): Promise<void>;
}

/**
 * Calls `onChange` with every new identity; where the new files are broken the old one stays, and
 * the log says why. Warns once a day of what expires soon. Ends with `signal`.
 */
export function watchIdentity(
  paths: IdentityPaths,
  first: Identity,
  { clock, log, signal, pollMs = POLL_MS }: IdentityWatchOptions,
  onChange: (identity: Identity) => void,
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
      log.info({ certname: current.certname }, 'certificates and CRLs loaded anew');
    } catch (error) {
      log.error({ reason: messageOf(error) }, 'the new certificates cannot be used: the old ones stay');
    }
  }

  async function look(force: boolean): Promise<void> {
    const now = await stampOf(paths);
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

async function stampOf(paths: IdentityPaths): Promise<string> {
  const stamps = Object.values<string>({ ...paths }).map(async (path) => {
    try {
      const { ino, size, mtimeNs } = await stat(path, { bigint: true });
      return `${ino}.${size}.${mtimeNs}`;
    } catch {
      return 'absent';
    }
  });
  return (await Promise.all(stamps)).join(' ');
}
