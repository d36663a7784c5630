/** Reads the body of a POST: checks its headers first, and only then asks for it (100 Continue). */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { REQUEST_TYPE } from '../media-types.ts';
import { HttpProblem } from './refusal-status.ts';

/** Throws `HttpProblem`: 411, 413 and 415 by the headers alone. */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: number,
): Promise<Uint8Array> {
  const length = checkHeaders(request, maxBytes);
  if (request.headers.expect !== undefined) response.writeContinue();
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    throw new HttpProblem(400, 'malformed', `the body ended before its ${length} bytes`);
  }
  return Buffer.concat(chunks);
}

function checkHeaders({ headers }: IncomingMessage, maxBytes: number): number {
  const text = headers['content-length'];
  if (headers['transfer-encoding'] !== undefined || text === undefined) {
    throw new HttpProblem(411, 'malformed', 'no content-length');
  }
  const length = Number(text);
  if (!Number.isSafeInteger(length)) throw new HttpProblem(400, 'malformed', 'content-length');
  if (length > maxBytes) throw new HttpProblem(413, 'too-large', `${length} bytes`);
  if ((headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') {
    throw new HttpProblem(415, 'malformed', 'content-encoding');
  }
  if (headers['content-type']?.toLowerCase() !== REQUEST_TYPE) {
    throw new HttpProblem(415, 'malformed', 'content-type');
  }
  return length;
}
