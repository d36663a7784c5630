/**
 * A handshake begins with a ClientHello (RFC 8446 4.1.2), in one TLS record or in several (5.1). One that is not all there costs OpenSSL
 * a place and memory, and can get no answer: it counts as silence.
 */
import type { Socket } from 'node:net';

/** ContentType, version and length. */
const RECORD_HEADER = 5;
const HANDSHAKE = 22;
/** HandshakeType and length. */
const MESSAGE_HEADER = 4;
const CLIENT_HELLO = 1;
/** With all record headers. OpenSSL takes no longer one than 131,396 bytes; what clients send has 500 to 2,000. */
const MAX_BYTES = 2 ** 14;

/** Calls back once: when the ClientHello is complete, or cannot become one. What was read is in the socket again. */
export function onceHello(socket: Socket, then: () => void): void {
  let read: Buffer = Buffer.alloc(0);
  const onEnd = () => socket.destroy();
  const onReadable = () => {
    const more: Buffer | null = socket.read();
    if (more === null) return;
    read = read.length === 0 ? more : Buffer.concat([read, more]);
    if (read.length < MAX_BYTES && isPartOfHello(read)) return;
    socket.off('readable', onReadable).off('end', onEnd);
    socket.unshift(read);
    then();
  };
  socket.on('readable', onReadable).once('end', onEnd);
}

/** Whether more may come that makes it whole. */
function isPartOfHello(bytes: Buffer): boolean {
  const message: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] !== HANDSHAKE) return false;
    if (bytes.length < at + RECORD_HEADER) return true;
    const end = at + RECORD_HEADER + bytes.readUInt16BE(at + 3);
    message.push(bytes.subarray(at + RECORD_HEADER, end));
    at = end;
  }
  const said = Buffer.concat(message);
  if (said.length > 0 && said[0] !== CLIENT_HELLO) return false;
  return said.length < MESSAGE_HEADER || said.length < MESSAGE_HEADER + said.readUIntBE(1, 3);
}
