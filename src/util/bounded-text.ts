/** Reads text of unknown size, up to a limit. */
import { createReadStream } from 'node:fs';

/** Reads a stream to its end as UTF-8. Throws `Error` if it is longer than `maxBytes`. */
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

/** The same for a file or a pipe, whose size is not known in advance. Throws the system's error, or that it is too large. */
export function readBounded(path: string, maxBytes: number): Promise<string> {
  return boundedText(createReadStream(path), maxBytes);
}
