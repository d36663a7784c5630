/** What ends on this controller: its certificate, its CAs and CRLs, and the certificate that browsers see. */
import { X509Certificate } from 'node:crypto';
import { messageOf } from '../../errors.ts';
import { authoritiesIn } from '../../pki/authorities.ts';
import { expiryOf } from '../../pki/expiry.ts';
import { readTrusted } from '../../util/trusted-file.ts';
import type { Site } from '../site.ts';
import { caFindings, endFinding } from './end-findings.ts';
import { type Finding, warning } from './finding.ts';

const CERTIFICATE_NEXT = 'renew it before that: no host accepts an expired one';
const CRL_NEXT = 'bring a new crl.pem: with an expired one no host is trusted';
const PAGE_NEXT = 'renew what web.certificate and web.key in controller.yaml name: kick serve follows them';

const MAX_PEM_BYTES = 1 << 20;

export async function ownFindings({
  identity,
  config,
  clock,
}: Pick<Site, 'identity' | 'config' | 'clock'>): Promise<Finding[]> {
  const own = await identity();
  const { web } = await config();
  const now = clock.now();
  const { certificate, crl } = expiryOf(own);
  return [
    ...endFinding("this controller's certificate", { ends: certificate, now, next: CERTIFICATE_NEXT }),
    ...endFinding("this controller's CRL", { ends: crl, now, next: CRL_NEXT }),
    ...caFindings("this controller's", authoritiesIn(own), now),
    ...(web?.certificate === undefined ? [] : pageFindings(web.certificate, now)),
  ];
}

function pageFindings(path: string, now: number): Finding[] {
  try {
    const pem = readTrusted(path, { doing: `read "${path}"`, isPuppets: true, maxBytes: MAX_PEM_BYTES });
    const ends = Date.parse(new X509Certificate(pem).validTo);
    return endFinding('the certificate of the page (kick serve)', { ends, now, next: PAGE_NEXT });
  } catch (error) {
    return [warning(`the certificate of the page cannot be read: ${messageOf(error)}`, PAGE_NEXT)];
  }
}
