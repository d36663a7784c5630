/**
 * DESIGN 14: who asks, as the listener tells the helper. The rest of a request is what it is over TLS, without the negotiation
 * of its body.
 */
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Peer } from '../../transport.ts';
import { HttpProblem } from '../listener/refusal-status.ts';
import { timeOf } from '../listener/request-checks.ts';

const CERTIFICATE = 'kick-peer';
const ADDRESS = 'kick-address';

/** Bytes. A certificate with a thousand names is one of a tenth of this. */
const MAX_CERTIFICATE = 32 << 10;

/** The listener's side. Throws `HttpProblem` for a certificate that nobody needs. */
export function handOn(
  { certificate, address }: Peer,
  { date, ...headers }: IncomingHttpHeaders,
): OutgoingHttpHeaders {
  if (certificate.byteLength > MAX_CERTIFICATE)
    throw new HttpProblem(403, 'peer-mismatch', `a certificate of ${certificate.byteLength} bytes`);
  const type = headers['content-type'];
  return {
    [CERTIFICATE]: Buffer.from(certificate).toString('base64'),
    [ADDRESS]: address,
    ...(date !== undefined && { date }),
    ...(type !== undefined && { 'content-type': type }),
  };
}

/** The helper's side: what is said, not what is true. Throws `HttpProblem`. */
export function handedOnPeer(request: IncomingMessage): Peer {
  const { [CERTIFICATE]: encoded, [ADDRESS]: address } = request.headers;
  if (typeof encoded !== 'string' || encoded.length > (MAX_CERTIFICATE * 4) / 3 + 4)
    throw new HttpProblem(400, 'malformed', `${CERTIFICATE}: not a certificate`);
  const certificate = Buffer.from(encoded, 'base64');
  if (certificate.byteLength === 0 || certificate.toString('base64') !== encoded)
    throw new HttpProblem(400, 'malformed', `${CERTIFICATE}: not strict base64`);
  if (typeof address !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(address))
    throw new HttpProblem(400, 'malformed', `${ADDRESS}: not an address`);
  return { certificate, address, ...timeOf(request) };
}
