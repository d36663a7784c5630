/** What every request must be, whatever it asks, and who asks. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { plainAddress } from '../../../util/address-group.ts';
import { originOf } from '../../guard/origin.ts';
import type { Peer } from '../../transport.ts';
import { peerCertificate } from './peer-certificate.ts';
import { HttpProblem } from './refusal-status.ts';

/** Throws `HttpProblem`. The answer will close the connection. */
export function checkRequest(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('connection', 'close');
  response.on('error', () => response.destroy()); // a write after the other end has gone
  // Express answers HEAD and OPTIONS by itself.
  if (request.method !== 'GET' && request.method !== 'POST') throw wrongMethod('GET, POST');
  if (request.method === 'GET') refuseBody(request);
  const { expect } = request.headers;
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    throw new HttpProblem(417, 'unsupported', 'expect');
  }
}

export function wrongMethod(allow: string): HttpProblem {
  return new HttpProblem(405, 'unsupported', 'method', { allow });
}

function refuseBody({ headers }: IncomingMessage): void {
  const none = headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0';
  if (!none) throw new HttpProblem(400, 'malformed', 'a body where none is expected');
}

/** The address of the other end, for the log. */
export const addressOf = ({ socket }: IncomingMessage) => plainAddress(originOf(socket).remoteAddress ?? '');

/** The peer that TLS has verified. Throws `HttpProblem`. */
export function peerOf(request: IncomingMessage): Peer {
  const certificate = peerCertificate(request.socket);
  if (certificate === undefined) throw new HttpProblem(403, 'peer-mismatch', 'no client certificate');
  return { certificate, address: addressOf(request), ...timeOf(request) };
}

/** The other end's clock, if it says it. */
export function timeOf({ headers }: IncomingMessage): { time?: number } {
  const time = Date.parse(headers.date ?? '');
  return Number.isFinite(time) ? { time } : {};
}
