import { hostname } from 'node:os';
import { join } from 'node:path';
import { KickError } from '../errors.ts';
import type { Identity, IdentityPaths } from '../pki/identity.ts';
import { loadIdentity } from '../pki/load-identity.ts';
import { isCertname } from '../protocol/names.ts';
import { findPuppet } from '../puppet/binary.ts';
import { puppetSettings } from '../puppet/settings.ts';
import { systemClock } from '../util/clock.ts';
import { exists } from '../util/files.ts';

export interface IdentityChoice {
  pkiDir: string;
  /** Whether the operator named the folder: then nothing else will do. */
  pkiDirNamed: boolean;
  certname?: string | undefined;
  puppet?: string | undefined;
  stateDir: string;
  /** The variable PATH, to look for puppet. */
  path: string;
}

/** The four files of our own folder, which is laid out as Puppet's ssldir. */
export function ownPaths(pkiDir: string, certname: string): IdentityPaths {
  return {
    key: join(pkiDir, 'private_keys', `${certname}.pem`),
    certificate: join(pkiDir, 'certs', `${certname}.pem`),
    ca: join(pkiDir, 'certs', 'ca.pem'),
    crl: join(pkiDir, 'crl.pem'),
  };
}

/** Throws `KickError` when neither can be told: `config` for a bad name, `puppet` where Puppet does not answer. */
export async function identityPaths(choice: IdentityChoice): Promise<IdentityPaths> {
  const certname = choice.certname ?? hostname().toLowerCase();
  if (!isCertname(certname)) {
    throw new KickError('config', `choose the certificate: "${certname}" is not a certname`, {
      hint: 'say it with --certname',
    });
  }
  const own = ownPaths(choice.pkiDir, certname);
  if (choice.pkiDirNamed || (await exists(own.certificate))) return own;
  const puppet = findPuppet({ explicit: choice.puppet, path: choice.path });
  const settings = await puppetSettings({ puppet, stateDir: choice.stateDir });
  return {
    key: settings.hostprivkey,
    certificate: settings.hostcert,
    ca: settings.localcacert,
    crl: settings.hostcrl,
  };
}

/** Who we are, ready to sign. Throws `KickError` for each thing that stands against it. */
export async function identityOf(choice: Omit<IdentityChoice, 'path'>, path: string): Promise<Identity> {
  return loadIdentity(await identityPaths({ ...choice, path }), { now: systemClock.now() });
}
