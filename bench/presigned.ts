/** Requests signed before the measurement, for the bare client. */
import { writeFileSync } from 'node:fs';
import { ownPaths } from '../src/config/identity.ts';
import type { Job } from '../src/controller/jobs/job.ts';
import { sealedRequest } from '../src/controller/jobs/seal-request.ts';
import { loadIdentity } from '../src/pki/load-identity.ts';
import type { Target } from '../src/transport/transport.ts';
import { uuidv7 } from '../src/util/uuid.ts';

export interface PresignOptions {
  /** The file for the lines `certname address port request`, one per host. */
  path: string;
  /** The signer's folder and name. */
  pki: string;
  controller: string;
}

/** Requests of a new job; each is valid for a few minutes, and once. */
export async function presign(
  targets: readonly Target[],
  { path, pki, controller }: PresignOptions,
): Promise<void> {
  const identity = await loadIdentity(ownPaths(pki, controller), { now: Date.now() });
  const job: Job = {
    id: uuidv7(Date.now()),
    controller,
    action: { op: 'run' },
    concurrency: 1,
    by: { user: 'bench', uid: 0, host: 'here' },
    targets: [...targets],
  };
  const lines: string[] = [];
  for (const { certname, host, port } of targets) {
    const body = await sealedRequest(job, certname, { identity, now: Date.now() });
    lines.push(`${certname} ${host} ${port} ${Buffer.from(body).toString('latin1')}`);
  }
  writeFileSync(path, `${lines.join('\n')}\n`);
}
