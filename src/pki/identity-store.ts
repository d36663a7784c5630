/** An identity that follows its files: certificates are renewed and CRLs replaced under a running agent. */
import { stat } from 'node:fs/promises';
import { messageOf } from '../errors.ts';
import { type Clock, sleep } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import type { Identity, IdentityPaths } from './identity.ts';
import { loadIdentity } from './load-identity.ts';

const POLL_MS = 5000;
const REMIND_MS = 3_600_000;
const DAY_MS = 86_400_000;

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
 * Calls `onChange` with every new identity; where the new files are broken the old one stays, the
 * log says why, and they are tried again until they are whole (a CRL may be ahead of our clock).
 * Once a day they are read again, so that what expires soon is warned of in time. Ends with `signal`.
 */
export function watchIdentity(
  paths: IdentityPaths,
  first: Identity,
  { clock, log, signal, pollMs = POLL_MS }: IdentityWatchOptions,
  onChange: (identity: Identity) => void,
): IdentityWatch {
  let current = first;
  /** Undefined at first: the files may have changed since `first` was read. */
  let seen: string | undefined;
  let complaint: string | undefined;
  let readAt = Number.NEGATIVE_INFINITY;

  async function read({ isForced, isDue }: { isForced: boolean; isDue: boolean }): Promise<void> {
    try {
      const next = await loadIdentity(paths, { now: clock.now() });
      const isNew = !isSameIdentity(next, current);
      if (isNew || isForced) {
        onChange(next);
        current = next;
      }
      if (isNew || isForced || complaint !== undefined) {
        log.info({ certname: next.certname }, 'certificates and CRLs loaded anew');
      }
      complaint = undefined;
      if (isNew || isDue) for (const warning of next.warnings) log.warn({ audit: 'expiry' }, warning);
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== complaint || isForced || isDue) {
        log.error({ reason }, 'the certificates on disk cannot be used: those loaded before stay');
      }
      complaint = reason;
    }
  }

  async function look(isForced: boolean): Promise<void> {
    const stamp = await stampOf(paths);
    const isDue = clock.monotonic() - readAt >= DAY_MS;
    if (stamp === seen && complaint === undefined && !isDue && !isForced) return;
    seen = stamp;
    if (isDue) readAt = clock.monotonic();
    await read({ isForced, isDue });
  }

  /** One look at a time: an older one must not undo what a later one has found. */
  let last: Promise<void> = Promise.resolve();
  const lookInTurn = (isForced: boolean) => {
    last = last.then(() => (signal.aborted ? undefined : look(isForced)));
    return last;
  };

  void (async () => {
    while (!signal.aborted) {
      await lookInTurn(false);
      await sleep(pollMs, signal);
    }
  })();
  return { reload: () => lookInTurn(true) };
}

function isSameIdentity(a: Identity, b: Identity): boolean {
  const contents = ({ chain, ca, crls }: Identity) => [
    ...chain.map(String),
    '',
    ...ca.map(String),
    '',
    ...crls,
  ];
  return a.key.equals(b.key) && contents(a).join() === contents(b).join();
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
