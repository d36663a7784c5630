/** Where a node has what it got from our CA: the four files of an identity, and whom to ask for the next one. */
import { join } from 'node:path';
import * as v from 'valibot';
import { KickError } from '../errors.ts';
import type { IdentityPaths } from '../pki/identity.ts';
import { writeFileAtomic } from '../util/atomic-file.ts';
import { port, text } from '../util/bounds.ts';
import { readStored, StoredProblem, storedText } from '../util/stored-json.ts';
import { refuseUntrusted } from '../util/trusted-path.ts';
import { ENROLMENT_FILE } from './enrolment-file.ts';
import type { ServerAddress } from './wire.ts';

export interface NodePlace {
  /** The folder of certificates. */
  dir: string;
  paths: IdentityPaths;
}

const FORMAT = { schema: v.object({ host: text(253), port }), version: 1 };

const serverFile = ({ dir }: Pick<NodePlace, 'dir'>) => join(dir, ENROLMENT_FILE);

/** Throws `KickError` `pki`, and `untrusted` if others can change it. */
export async function readServer(place: Pick<NodePlace, 'dir'>): Promise<ServerAddress> {
  const path = serverFile(place);
  refuseUntrusted(path, { doing: `believe "${path}"` });
  try {
    const found = await readStored(path, FORMAT);
    if (found !== undefined) return found;
  } catch (error) {
    if (!(error instanceof StoredProblem)) throw error;
    throw new KickError('pki', error.message, {
      hint: `${error.isNewer ? 'use that version of kick, or enroll again: ' : ''}kick agent enroll --force makes it again`,
      cause: error,
    });
  }
  throw new KickError('pki', `renew the certificate: there is no "${path}"`, {
    hint: "kick agent enroll makes it; on the CA's own host kick pki serve renews the certificate",
  });
}

export async function writeServer(place: Pick<NodePlace, 'dir'>, server: ServerAddress): Promise<void> {
  await writeFileAtomic(serverFile(place), storedText(server, FORMAT), { mode: 0o644 });
}
