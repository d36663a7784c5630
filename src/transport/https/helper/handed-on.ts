/**
 * DESIGN 14: who asks, as the listener tells the helper. The rest of a request is what it is over TLS, without the negotiation
 * of its body.
 */
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import * as v from 'valibot';
import { type BrokerStatus, BrokerStatusSchema } from '../../../protocol/status.ts';
import { fitTo } from '../../../util/fit.ts';
import { JsonError, parseStrictJson } from '../../../util/json.ts';
import type { Peer } from '../../transport.ts';
import { HttpProblem } from '../listener/refusal-status.ts';
import { timeOf } from '../listener/request-checks.ts';

const CERTIFICATE = 'kick-peer';
const ADDRESS = 'kick-address';
const BROKER = 'kick-broker';

/** Bytes. A certificate with a thousand names is one of a tenth of this. */
const MAX_CERTIFICATE = 32 << 10;
const MAX_ADDRESS = 200;
const MAX_BROKER = 4096;

/** The listener's side. Throws `HttpProblem` for a certificate that nobody needs. */
export function handOn(
  { certificate, address, broker }: Peer,
  { date, ...headers }: IncomingHttpHeaders,
): OutgoingHttpHeaders {
  if (certificate.byteLength > MAX_CERTIFICATE)
    throw new HttpProblem(403, 'peer-mismatch', `a certificate of ${certificate.byteLength} bytes`);
  const type = headers['content-type'];
  return {
    [CERTIFICATE]: Buffer.from(certificate).toString('base64'),
    [ADDRESS]: plain(address),
    ...(broker !== undefined && { [BROKER]: encodedBroker(broker) }),
    ...(date !== undefined && { date }),
    ...(type !== undefined && { 'content-type': type }),
  };
}

/** One by a broker has the controller's name, as the broker says it. */
const plain = (address: string) => address.replace(/[^\x21-\x7e]/g, '?').slice(0, MAX_ADDRESS);

function encodedBroker(broker: BrokerStatus): string {
  const fitted = fitTo(BrokerStatusSchema, broker, { maxBytes: MAX_BROKER });
  return Buffer.from(JSON.stringify(fitted ?? { reconnects: 0 })).toString('base64');
}

/** The helper's side: what is said, not what is true. Throws `HttpProblem`. */
export function handedOnPeer(request: IncomingMessage): Peer {
  const { [CERTIFICATE]: encoded, [ADDRESS]: address, [BROKER]: broker } = request.headers;
  if (typeof encoded !== 'string' || encoded.length > (MAX_CERTIFICATE * 4) / 3 + 4)
    throw new HttpProblem(400, 'malformed', `${CERTIFICATE}: not a certificate`);
  const certificate = Buffer.from(encoded, 'base64');
  if (certificate.byteLength === 0 || certificate.toString('base64') !== encoded)
    throw new HttpProblem(400, 'malformed', `${CERTIFICATE}: not strict base64`);
  if (typeof address !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(address))
    throw new HttpProblem(400, 'malformed', `${ADDRESS}: not an address`);
  const said = broker === undefined ? {} : { broker: brokerIn(broker) };
  return { certificate, address, ...timeOf(request), ...said };
}

function brokerIn(encoded: string | string[]): BrokerStatus {
  try {
    const value = parseStrictJson(Buffer.from(String(encoded), 'base64'), { maxBytes: MAX_BROKER });
    return v.parse(BrokerStatusSchema, value);
  } catch (error) {
    if (!(error instanceof JsonError || error instanceof v.ValiError)) throw error;
    throw new HttpProblem(400, 'malformed', `${BROKER}: not what a listener says of its brokers`);
  }
}
