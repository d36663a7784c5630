/** Requests that are signed before anybody measures: what a bare client sends to the hosts of a fleet. */
import { writeFileSync } from 'node:fs';
import { sealedRequest } from '../src/controller/dispatch.ts';
import type { Job } from '../src/controller/job.ts';
import { loadIdentity } from '../src/pki/load-identity.ts';
import { uuidv7 } from '../src/util/uuid.ts';
import { FLEET_CONTROLLER } from '../test/fleet/plan.ts';
import type { Fleet } from '../test/fleet/start-fleet.ts';

/** Writes a line for each host, `certname address port request`, and gives the pki folder that signed. */
export async function presign(fleet: Fleet, path: string, keyType: 'p256' | 'rsa-4096'): Promise<string> {
  const args = fleet.kickArgs(keyType);
  const pki = args[args.indexOf('--pki-dir') + 1] ?? '';
  const identity = await loadIdentity(
    {
      key: `${pki}/private_keys/${FLEET_CONTROLLER}.pem`,
      certificate: `${pki}/certs/${FLEET_CONTROLLER}.pem`,
      ca: `${pki}/certs/ca.pem`,
      crl: `${pki}/crl.pem`,
    },
    { now: Date.now() },
  );
  const targets = fleet.names.map((certname) => ({ certname, ...fleet.addressOf(certname) }));
  const job: Job = {
    id: uuidv7(Date.now()),
    controller: FLEET_CONTROLLER,
    by: { user: 'bench', uid: 0, host: 'here' },
    action: { op: 'run' },
    targets,
    concurrency: 1,
  };
  const lines: string[] = [];
  for (const { certname, host, port } of targets) {
    const body = await sealedRequest(job, certname, { identity, now: Date.now() });
    lines.push(`${certname} ${host} ${port} ${Buffer.from(body).toString('latin1')}`);
  }
  writeFileSync(path, `${lines.join('\n')}\n`);
  return pki;
}
