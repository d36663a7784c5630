/** Keeps CRL and certificate of an enrolled node fresh. Who uses them notices the new files by itself. */
import { messageAndHint } from '../errors.ts';
import { expiryOf } from '../pki/expiry.ts';
import { loadIdentity } from '../pki/load-identity.ts';
import { type Clock, sleep } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import type { NodePlace } from './node-place.ts';
import { isDue, refreshCa, refreshCrl, renew } from './renew.ts';

/** Milliseconds between looks, and as much again by chance: no fleet asks at once. */
const EVERY_MS = 3_600_000;
/** Up to this after the start. */
const FIRST_MS = 600_000;
/** Between attempts that fail: from, to, and never more than a tenth of the time that is left. */
const RETRY_MS = { least: 60_000, most: 2 * 3_600_000 };

export interface KeepOptions {
  clock: Clock;
  log: Log;
  signal: AbortSignal;
  /** A number from 0 to 1. */
  random?: () => number;
  /** Milliseconds; defaults to 10 minutes and 1 hour. */
  firstMs?: number;
  everyMs?: number;
}

export interface Keeper {
  /** Why the last look failed; undefined if it did not. */
  trouble(): string | undefined;
  /** Looks now (SIGHUP). */
  look(): Promise<void>;
}

/** Ends with `signal`. */
export function keepRenewed(
  place: NodePlace,
  { clock, log, signal, random = Math.random, firstMs = FIRST_MS, everyMs = EVERY_MS }: KeepOptions,
): Keeper {
  let trouble: string | undefined;
  let failures = 0;

  async function attempt(what: string, work: () => Promise<void>): Promise<string[]> {
    try {
      await work();
      return [];
    } catch (error) {
      return [`${what}: ${messageAndHint(error)}`];
    }
  }

  async function lookOnce(): Promise<void> {
    const failed = [
      ...(await attempt('the CRL', async () => {
        if (await refreshCrl(place, { clock, signal })) log.info({}, 'a new CRL was fetched');
      })),
      ...(await attempt('the CA', async () => {
        if (await refreshCa(place, { clock, signal }))
          log.info({ audit: 'ca' }, 'other CAs are trusted from now on');
      })),
      ...(await attempt('the certificate', async () => {
        if (!isDue(await loadIdentity(place.paths, { now: clock.now() }), clock.now())) return;
        await renew(place, { clock, signal });
        log.info({ audit: 'renewed' }, 'the certificate was renewed');
      })),
    ];
    if (signal.aborted) return;
    failures = failed.length === 0 ? 0 : failures + 1;
    const now = failed.length === 0 ? undefined : failed.join('; ');
    if (now !== undefined && now !== trouble)
      log.warn({ reason: now }, 'cannot renew what our CA has issued');
    trouble = now;
  }

  async function wait(): Promise<number> {
    if (failures === 0) return everyMs * (1 + random());
    const most = Math.min(RETRY_MS.most, (await timeLeft(place, clock)) / 10);
    const doubled = RETRY_MS.least * 2 ** Math.min(failures, 12);
    return Math.max(RETRY_MS.least, Math.min(doubled, most)) * (0.5 + random());
  }

  let looking: Promise<void> | undefined;
  const look = () => (looking ??= lookOnce().finally(() => (looking = undefined)));

  void (async () => {
    await sleep(firstMs * random(), signal);
    while (!signal.aborted) {
      await look();
      await sleep(await wait(), signal);
    }
  })();
  return { trouble: () => trouble, look };
}

/** Milliseconds until the certificate ends; Infinity if it cannot be used. */
async function timeLeft({ paths }: NodePlace, clock: Clock): Promise<number> {
  try {
    const now = clock.now();
    return expiryOf(await loadIdentity(paths, { now })).certificate - now;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
