import { hostname } from 'node:os';
import { join } from 'node:path';
import { KickError } from '../errors.ts';
import type { Identity, IdentityPaths } from '../pki/identity.ts';
import { loadIdentity } from '../pki/load-identity.ts';
import { isCertname } from '../protocol/names.ts';
import { systemClock } from '../util/clock.ts';
import { exists } from '../util/files.ts';
import { refuseUntrusted } from '../util/trusted-path.ts';

export interface IdentityChoice {
  configDir: string;
  pkiDir: string;
  /** Whether the operator named the folder, so that no other is used. */
  pkiDirNamed: boolean;
  certname?: string | undefined;
  puppet?: string | undefined;
  stateDir: string;
  /** The variable PATH, to find puppet in. */
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

/**
 * Throws `KickError` if neither can be determined: `config` for a bad name, `puppet` if Puppet does not answer, `untrusted` if
 * others could have made the choice.
 */
export async function identityPaths(choice: IdentityChoice): Promise<IdentityPaths> {
  const certname = choice.certname ?? hostname().toLowerCase();
  if (!isCertname(certname)) {
    throw new KickError('config', `choose the certificate: "${certname}" is not a certname`, {
      hint: isCertname(certname.toLowerCase())
        ? `certnames are in lower case: --certname ${certname.toLowerCase()}`
        : 'set it with --certname',
    });
  }
  const own = ownPaths(choice.pkiDir, certname);
  // Whoever may remove our certificate would choose Puppet's.
  refuseUntrusted(own.certificate, { doing: `use the certificate "${own.certificate}"`, isPuppets: true });
  const paths = choice.pkiDirNamed || (await exists(own.certificate)) ? own : await puppetsOwnPaths(choice);
  return { ...paths, denied: join(choice.configDir, 'denied') };
}

/** Loads what asks Puppet, which a host with certificates of its own need not have. */
async function puppetsOwnPaths({ puppet, path, stateDir }: IdentityChoice): Promise<IdentityPaths> {
  const { findPuppet } = await import('../puppet/binary.ts');
  const { puppetSettings } = await import('../puppet/settings.ts');
  const { CONFIGURATION, trustedSettings } = await import('../puppet/trusted-settings.ts');
  const settings = trustedSettings(
    await puppetSettings({ puppet: findPuppet({ explicit: puppet, path }), stateDir }),
    CONFIGURATION,
  );
  return {
    key: settings.hostprivkey,
    certificate: settings.hostcert,
    ca: settings.localcacert,
    crl: settings.hostcrl,
  };
}

/** Loads our identity. Throws `KickError` if it cannot be used. */
export async function loadOwnIdentity(choice: Omit<IdentityChoice, 'path'>, path: string): Promise<Identity> {
  return loadIdentity(await identityPaths({ ...choice, path }), { now: systemClock.now() });
}
