/** A node that was killed before it had its certificate: the key that it had made, and the token that the server may have redeemed. */
import { createPublicKey, X509Certificate } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ownPaths } from '../../../src/config/identity.ts';
import { enroll } from '../../../src/enrolment/enroll.ts';
import { openEnrolmentServer } from '../../../src/enrolment/server.ts';
import type { Token } from '../../../src/enrolment/token.ts';
import { openAuthority } from '../../../src/pki/authority.ts';
import { openEnrolments } from '../../../src/pki/enrolments.ts';
import { isWhole, readPem } from '../../../src/pki/identity-files.ts';
import { loadIdentity } from '../../../src/pki/load-identity.ts';
import { newKey, pemOf } from '../../../src/pki/new-key.ts';
import { systemClock as clock } from '../../../src/util/clock.ts';
import { silentLog as log } from '../../../src/util/log.ts';
import { type Kept, orRefused } from './kept.ts';

const [SERVER, NODE] = ['localhost', 'web1.example.com'];
const DAY_MS = 86_400_000;

/** Of our own CA, in a folder of its own. */
async function startServer(dir: string) {
  const authority = openAuthority(dir, { clock });
  const enrolments = openEnrolments(dir, { clock });
  await authority.init('kick CA');
  await authority.issue({ name: SERVER, role: 'controller', keyType: 'p256', days: 99 });
  const identity = await loadIdentity(ownPaths(dir, SERVER), { now: Date.now() });
  const { port } = await openEnrolmentServer({
    ...{ identity, enrolments, port: 0, bind: '127.0.0.1', clock, log },
  });
  const ca = new X509Certificate(readPem(join(dir, 'certs', 'ca.pem'), 'CA'));
  const fingerprint = ca.fingerprint256.replaceAll(':', '').toLowerCase();
  return {
    server: { host: SERVER, port },
    enrolments,
    async token(): Promise<Token> {
      const wish = { name: NODE, role: 'agent', days: 99, forMs: DAY_MS, replace: true } as const;
      const { id, secret } = await enrolments.create(wish);
      return { id, secret, fingerprint };
    },
  };
}

/** `isRedeemed`: the answer was lost. */
const begun = (isRedeemed: boolean): Kept => ({
  async make(folder) {
    const { server, enrolments, token } = await startServer(join(folder, '..', 'ca'));
    const key = newKey('p256');
    const path = `${ownPaths(folder, NODE).key}.new`;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, pemOf(key), { mode: 0o600 });
    const first = await token();
    if (isRedeemed) await enrolments.redeem({ ...first, name: NODE, key: createPublicKey(key) });
    return async (dir) => {
      const place = { dir, paths: ownPaths(dir, NODE) };
      const enrolled = (by: Token) =>
        orRefused(() => enroll({ server, token: by, name: NODE, place, isForced: false, clock }));
      // A token that another key has used is good for nothing: the next one must be.
      const again = isRedeemed ? await enrolled(first) : undefined;
      if (again === undefined && (await enrolled(await token())) === undefined)
        return 'a new token does not enrol the node';
      const identity = await orRefused(() => loadIdentity(place.paths, { now: clock.now() }));
      if (identity === undefined || !isWhole(identity.key)) return 'what it is enrolled with cannot be used';
      rmSync(dir, { recursive: true });
      return undefined;
    };
  },
});

export const KEPT_ENROLMENT: Readonly<Record<string, Kept>> = {
  'key in the making': begun(false),
  'key in the making, answer lost': begun(true),
};
