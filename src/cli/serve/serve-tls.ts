/** The certificates of `kick serve`: its own, or those of controller.yaml, each followed when it is renewed. */
import { createPrivateKey } from 'node:crypto';
import type { ControllerConfig } from '../../config/controller-config.ts';
import { isUntrusted, KickError, messageAndHint, messageOf } from '../../errors.ts';
import type { Identity } from '../../pki/identity.ts';
import { isWhole, NOT_WHOLE } from '../../pki/identity-files.ts';
import { tlsMaterial } from '../../pki/tls-material.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import { stampOf } from '../../util/file-stamps.ts';
import type { Log } from '../../util/log.ts';
import { readTrusted } from '../../util/trusted-file.ts';
import type { ServerTls } from '../../web/server/open-server.ts';
import type { LiveIdentity } from './live-identity.ts';

const MAX_PEM_BYTES = 1 << 20;
const POLL_MS = 5000;

type Web = ControllerConfig['web'];

/** Throws `KickError` `config`, and `untrusted` if others can change a file. */
export function serveTls(web: Web, identity: Identity): ServerTls {
  const { ca, crl, cert, key } = tlsMaterial(identity);
  const pair = pairOf(web);
  const own = pair === undefined ? { cert, key } : { cert: read(pair.certificate), key: readKey(pair.key) };
  return { own, clients: { ca, crl }, trust: identity };
}

interface FollowOptions {
  web: Web;
  identity: LiveIdentity;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
}

/** Calls `setTls` whenever a file has changed; one that cannot be used is logged, and the old ones stay. */
export async function followTls(
  setTls: (tls: ServerTls) => void,
  { web, identity, clock, log, signal }: FollowOptions,
): Promise<void> {
  const renew = async () => {
    try {
      setTls(serveTls(web, await identity.get()));
    } catch (error) {
      log.error(
        { reason: messageAndHint(error) },
        'cannot use the new certificates of the page: the old ones stay',
      );
    }
  };
  await identity.follow({ clock, log, signal }, () => void renew());
  const pair = pairOf(web);
  if (pair !== undefined) void whenChanged([pair.certificate, pair.key], renew, signal);
}

async function whenChanged(paths: string[], act: () => Promise<void>, signal: AbortSignal): Promise<void> {
  for (let seen = await stampOf(paths); !signal.aborted; ) {
    await sleep(POLL_MS, signal);
    const now = await stampOf(paths);
    if (now !== seen) await act();
    seen = now;
  }
}

function pairOf(web: Web): { certificate: string; key: string } | undefined {
  const { certificate, key } = web ?? {};
  if ((certificate === undefined) !== (key === undefined)) {
    throw new KickError('config', 'read controller.yaml: web.certificate and web.key belong together');
  }
  return certificate === undefined || key === undefined ? undefined : { certificate, key };
}

/** TLS itself refuses what is no key, or not the certificate's. */
function readKey(path: string): Buffer {
  const pem = read(path);
  if (isDamaged(pem))
    throw new KickError('config', `read "${path}": ${NOT_WHOLE}`, { hint: 'restore it from a backup' });
  return pem;
}

function isDamaged(pem: Buffer): boolean {
  try {
    return !isWhole(createPrivateKey(pem));
  } catch {
    return false;
  }
}

function read(path: string): Buffer {
  try {
    return readTrusted(path, { doing: `read "${path}"`, isPuppets: true, maxBytes: MAX_PEM_BYTES });
  } catch (error) {
    if (isUntrusted(error)) throw error;
    throw new KickError('config', `read "${path}": ${messageOf(error)}`, {
      hint: 'web.certificate and web.key in controller.yaml',
      cause: error,
    });
  }
}
