/** What our own CA hands out: the certificates of all its CAs, and a CRL of each. Both follow from the index. */
import { isUntrusted } from '../errors.ts';
import { writeFileAtomic } from '../util/atomic-file.ts';
import { exists } from '../util/files.ts';
import { generationOf, type Index } from './authority-index.ts';
import { caKey, type Place } from './authority-place.ts';
import { BACKDATE_MS, DAY_MS } from './certify.ts';
import { crlsOf } from './chain-crls.ts';
import { numberOf, splitCrls } from './crl.ts';
import { readCertificates, readPem } from './identity-files.ts';

/** Days; CRLs may be distributed by hand, so they last long. */
const CRL_DAYS = 3650;

interface Published {
  subject: string[];
  generation: number;
}

/** The CA that signs comes first. */
function authoritiesOf({ subject, beside, ...index }: Index): Published[] {
  return [{ subject, generation: generationOf(index) }, ...(beside === undefined ? [] : [beside])];
}

export async function writeCrl(index: Index, { paths, clock }: Place): Promise<void> {
  const { makeCrl } = await import('./make-certificate.ts');
  const now = clock.now();
  const crls = authoritiesOf(index).map(({ subject, generation }) =>
    makeCrl({
      issuer: { subject, key: caKey(paths, generation) },
      number: index.crlNumber,
      thisUpdate: now - BACKDATE_MS,
      nextUpdate: now + CRL_DAYS * DAY_MS,
      revoked: index.certificates.flatMap(({ serial, revokedAt, ...entry }) =>
        revokedAt === undefined || generationOf(entry) !== generation ? [] : [{ serial, at: revokedAt }],
      ),
    }),
  );
  await writeFileAtomic(paths.crl, crls.join(''), { mode: 0o644 });
}

/** Writes what a kill has kept from being written after the index, and CRLs that are damaged. */
export async function settle(index: Index, place: Place): Promise<void> {
  const { paths } = place;
  const [current, wanted] = [readPem(paths.ca, 'CA certificates'), await bundleOf(index, place)];
  const isShrinking = wanted !== undefined && wanted.length < current.length;
  const settleCa = async () => {
    if (wanted !== undefined && wanted !== current) await writeFileAtomic(paths.ca, wanted, { mode: 0o644 });
  };
  // Who follows these files refuses a CA without a CRL.
  if (isShrinking) await settleCa();
  if (!areOf(index, { path: paths.crl, ca: wanted ?? current })) await writeCrl(index, place);
  if (!isShrinking) await settleCa();
}

/** Whether the CRLs are those of the index, as its CAs (PEM) have signed them. */
function areOf(index: Index, { path, ca }: { path: string; ca: string }): boolean {
  try {
    const pems = splitCrls(readPem(path, 'CRL'));
    const signed = crlsOf(pems, readCertificates(ca, path, 'CA certificates'));
    return (
      signed.length === authoritiesOf(index).length &&
      pems.length === signed.length &&
      pems.every((pem) => numberOf(pem) === BigInt(index.crlNumber))
    );
  } catch (error) {
    if (isUntrusted(error)) throw error;
    return false; // they are damaged, or gone
  }
}

/** Undefined where no CA was ever rotated: its certificate is nowhere else. */
async function bundleOf(index: Index, { paths }: Place): Promise<string | undefined> {
  if (generationOf(index) === 1 && !(await exists(paths.caCertificate(1)))) return undefined;
  return authoritiesOf(index)
    .map(({ generation }) => readPem(paths.caCertificate(generation), 'CA certificate'))
    .join('');
}
