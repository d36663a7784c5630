/** The process of `kick pki serve`, until SIGTERM or Ctrl-C. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Folders } from '../../config/folders.ts';
import { ownPaths } from '../../config/identity.ts';
import { renewOwn } from '../../enrolment/renew.ts';
import { openEnrolmentServer } from '../../enrolment/server.ts';
import { isUntrusted, KickError, messageAndHint } from '../../errors.ts';
import { openEnrolments } from '../../pki/enrolments.ts';
import type { Identity, IdentityPaths } from '../../pki/identity.ts';
import { watchIdentity } from '../../pki/identity-store.ts';
import { loadIdentity } from '../../pki/load-identity.ts';
import { sleep, systemClock } from '../../util/clock.ts';
import { jsonLog } from '../json-log.ts';
import { version } from '../version.ts';
import { endSignal } from './end-signal.ts';

/** Milliseconds between looks at our own certificate. */
const OWN_EVERY_MS = 3_600_000;

export async function servePki(
  folders: Folders,
  { port, bind }: { port: number; bind?: string | undefined },
): Promise<void> {
  const { pkiDir, configDir, certname = hostname().toLowerCase() } = folders;
  const log = jsonLog();
  const clock = systemClock;
  const enrolments = openEnrolments(pkiDir, { clock });
  await enrolments.settle();
  const paths = { ...ownPaths(pkiDir, certname), denied: join(configDir, 'denied') };
  let identity = await ownIdentity(paths, certname);
  const server = await openEnrolmentServer({ identity, enrolments, port, bind, clock, log });
  const ending = new AbortController();
  const { signal } = ending;
  const watch = watchIdentity(paths, identity, {
    ...{ clock, log, signal },
    onChange(changed) {
      server.setIdentity(changed);
      identity = changed;
    },
  });
  const keepOwn = async () => {
    for (; !signal.aborted; await sleep(OWN_EVERY_MS, signal)) {
      try {
        if (!(await renewOwn(paths, identity, { enrolments, clock }))) continue;
        log.info({ audit: 'renewed', name: certname }, 'our own certificate was renewed');
        await watch.reload();
      } catch (error) {
        log.error({ reason: messageAndHint(error) }, 'cannot renew our own certificate');
      }
    }
  };
  void keepOwn();
  process.on('SIGHUP', () => void watch.reload());
  const end = endSignal();
  log.info({ port: server.port, certname, version: version() }, 'serving certificates');
  log.info({ signal: await end }, 'stopping');
  ending.abort();
  await server.close();
}

async function ownIdentity(paths: IdentityPaths, certname: string): Promise<Identity> {
  try {
    return await loadIdentity(paths, { now: systemClock.now() });
  } catch (error) {
    if (isUntrusted(error) || !(error instanceof KickError)) throw error;
    throw new KickError(error.code, error.message, {
      hint: `this host needs a certificate of the CA: kick pki issue ${certname} --role controller; --certname names another`,
      cause: error,
    });
  }
}
