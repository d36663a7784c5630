/** A list of our own of certificates that are not believed any more, from now on: a CRL takes a day to arrive. */
import { createHash, X509Certificate } from 'node:crypto';
import { KickError } from '../errors.ts';
import { isCertname } from '../protocol/names.ts';
import { clip } from '../util/text.ts';
import { readTrusted } from '../util/trusted-file.ts';
import { commonNameOf, DerError, serialNumber } from './der.ts';
import type { DenyList } from './identity.ts';
import { isMirrored, mirrored } from './mirrored-signature.ts';

const MAX_BYTES = 4 << 20;
const MAX_SHOWN = 80;

const PLAIN = /^[a-z0-9._-]+$/;
const KINDS = 'a certname, serial:HEX or sha256:HEX';

/**
 * Reads a list: a line each, `certname`, `serial:HEX` or `sha256:HEX` (colons allowed), `#` begins a comment. Throws
 * `KickError` `untrusted` if others can change it, and `identity` for a line that is none of these, or means nobody for certain
 * where `ca` signs: what was meant would go on.
 */
export function readDenyList(path: string, ca: readonly X509Certificate[]): DenyList {
  const doing = `load the list of denied certificates "${path}"`;
  return parseDenyList(readTrusted(path, { doing, maxBytes: MAX_BYTES }).toString('utf8'), doing, ca);
}

export function parseDenyList(text: string, doing: string, ca: readonly X509Certificate[] = []): DenyList {
  const unmirrored = ca.find(({ publicKey }) => !isMirrored(publicKey))?.publicKey;
  const entries = new Set<string>();
  for (const [index, line] of text.split('\n').entries()) {
    const said = (line.split('#')[0] ?? '').trim();
    if (said === '') continue;
    const entry = entryOf(said);
    if (entry === undefined) {
      throw new KickError(
        'identity',
        `${doing}: line ${index + 1}: "${clip(said, MAX_SHOWN)}" is not ${KINDS}`,
        {
          hint: 'as openssl x509 -serial, or -fingerprint -sha256, prints it',
        },
      );
    }
    if (unmirrored !== undefined && entry.startsWith('sha256:')) {
      const { namedCurve = 'a curve without a name' } = unmirrored.asymmetricKeyDetails ?? {};
      throw new KickError(
        'identity',
        `${doing}: line ${index + 1}: a CA here signs by ${namedCurve}, where one certificate can have two fingerprints`,
        { hint: 'deny it by its serial number: serial:HEX, as openssl x509 -serial prints it' },
      );
    }
    entries.add(entry);
  }
  return { denies: (certificate) => namesOf(certificate).find((one) => entries.has(one)) };
}

function entryOf(said: string): string | undefined {
  const [, kind, value = ''] = /^(serial|sha256):(.*)$/i.exec(said) ?? [];
  // Puppet allows web*, and whoever writes it means something else: such names are denied by serial number.
  if (kind === undefined) return isCertname(said) && PLAIN.test(said) ? said : undefined;
  const hex = value.replaceAll(':', '').toLowerCase();
  if (kind.toLowerCase() === 'sha256') return /^[0-9a-f]{64}$/.test(hex) ? `sha256:${hex}` : undefined;
  return /^-?[0-9a-f]+$/.test(hex) ? serial(hex) : undefined;
}

/** What would deny it, in whichever spelling it was seen. */
function namesOf(der: Uint8Array): string[] {
  const digests = [der, ...mirrored(der)].map((one) => createHash('sha256').update(one).digest('hex'));
  return [
    ...digests.map((one) => `sha256:${one}`),
    serial(new X509Certificate(der).serialNumber),
    ...nameIn(der),
  ];
}

const serial = (hex: string) => `serial:${serialNumber(hex).toString(16)}`;

/** One of two names, or of none, is nobody's in any case. */
function nameIn(der: Uint8Array): string[] {
  try {
    return [commonNameOf(der)];
  } catch (error) {
    if (error instanceof DerError) return [];
    throw error;
  }
}
