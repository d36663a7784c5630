/** Text from elsewhere, of which there may be too much. */
import { createReadStream } from 'node:fs';

/** All that a stream brings, as UTF-8. Throws `Error` when it is more than `maxBytes`. */
export async function boundedText(
  stream: AsyncIterable<Uint8Array | string>,
  maxBytes: number,
): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    const buffer = Buffer.from(chunk);
    bytes += buffer.length;
    if (bytes > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
    chunks.push(buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A file's, a pipe's too: its size is not known before. Throws what the system says, or that it is too large. */
export function readBounded(path: string, maxBytes: number): Promise<string> {
  return boundedText(createReadStream(path), maxBytes);
}
