/**
 * Node's HTTP client, and its server without TLS. An ESM import of node:http reads all of its exports, including WebSocket, for which Node 22 and later
 * then load undici: 4 to 10 MB, and without compiled code (packaging/systemd) it cannot be loaded at all.
 */
import { createRequire } from 'node:module';

// Not process.getBuiltinModule, which Node 20 lacks before 20.16.
const http = createRequire(import.meta.url)('node:http') as typeof import('node:http');

export const httpRequest: typeof http.request = http.request;
export const createHttpServer: typeof http.createServer = http.createServer;

/** The whole body of a message of at most so many bytes. Throws what `tooLong` returns, and the stream's error. */
export async function bodyWithin(
  message: AsyncIterable<Buffer>,
  maxBytes: number,
  tooLong: () => Error,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of message) {
    total += chunk.byteLength;
    if (total > maxBytes) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
