/**
 * A handshake begins with a ClientHello in a TLS record (RFC 8446 5.1). One that is not all there costs OpenSSL a place and memory, and can
 * get no answer: it counts as silence.
 */
import type { Socket } from 'node:net';

/** ContentType, version and length. */
const HEADER_BYTES = 5;
const HANDSHAKE = 22;
/** A longer plaintext record is none. */
const MAX_RECORD_BYTES = 2 ** 14;

/** Calls back once: when the first record is complete, or cannot be the beginning of a handshake. What was read is in the socket again. */
export function onceFirstRecord(socket: Socket, then: () => void): void {
  let read: Buffer = Buffer.alloc(0);
  const onEnd = () => socket.destroy();
  const onReadable = () => {
    const more: Buffer | null = socket.read();
    if (more === null) return;
    read = read.length === 0 ? more : Buffer.concat([read, more]);
    if (isPartOfRecord(read)) return;
    socket.off('readable', onReadable).off('end', onEnd);
    socket.unshift(read);
    then();
  };
  socket.on('readable', onReadable).once('end', onEnd);
}

function isPartOfRecord(bytes: Buffer): boolean {
  if (bytes[0] !== HANDSHAKE) return false;
  if (bytes.length < HEADER_BYTES) return true;
  const length = bytes.readUInt16BE(3);
  return length <= MAX_RECORD_BYTES && bytes.length < HEADER_BYTES + length;
}
