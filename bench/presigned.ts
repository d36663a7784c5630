/** Requests that are signed before anybody measures: what a bare client sends. */
import { writeFileSync } from 'node:fs';
import type { Job } from '../src/controller/jobs/job.ts';
import { sealedRequest } from '../src/controller/jobs/seal-request.ts';
import { loadIdentity } from '../src/pki/load-identity.ts';
import type { Target } from '../src/transport/transport.ts';
import { uuidv7 } from '../src/util/uuid.ts';

export interface PresignOptions {
  /** Where the lines go: `certname address port request`, one for each host. */
  path: string;
  /** The folder of who signs, and its name. */
  pki: string;
  controller: string;
}

/** Requests of a new job; each is good for a few minutes and for once. */
export async function presign(
  targets: readonly Target[],
  { path, pki, controller }: PresignOptions,
): Promise<void> {
  const identity = await loadIdentity(
    {
      key: `${pki}/private_keys/${controller}.pem`,
      certificate: `${pki}/certs/${controller}.pem`,
      ca: `${pki}/certs/ca.pem`,
      crl: `${pki}/crl.pem`,
    },
    { now: Date.now() },
  );
  const job: Job = {
    ...{ id: uuidv7(Date.now()), controller, action: { op: 'run' }, concurrency: 1 },
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
