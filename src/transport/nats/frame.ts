/**
 * The messages of a stream: a byte that says what it is, the number of the message in its direction (32 bits, big-endian,
 * from 1), and the rest. Whatever comes from a broker is hostile: `readFrame` returns undefined for anything else.
 */

export type Frame =
  /** The agent takes the stream; the controller may send. */
  | { type: 'accept' }
  | { type: 'data'; data: Uint8Array }
  /** So many bytes were consumed: as many more may be sent. */
  | { type: 'credit'; bytes: number }
  /** Nothing more will be sent. */
  | { type: 'end' }
  /** The stream is over at once; why. */
  | { type: 'reset'; reason: string }
  /** Are you there? Needs no answer: the broker tells if nobody listens. */
  | { type: 'probe' };

export type NumberedFrame = Frame & { number: number };

const TYPES = ['accept', 'data', 'credit', 'end', 'reset', 'probe'] as const;
const HEADER_BYTES = 5;

/** Bytes that one message carries: far below a server's `max_payload`, 1 MiB. */
export const MAX_DATA_BYTES = 32 << 10;
const MAX_REASON_BYTES = 200;

export function writeFrame(frame: Frame, number: number): Uint8Array {
  const body = bodyOf(frame);
  const message = Buffer.allocUnsafe(HEADER_BYTES + body.byteLength);
  message.writeUInt8(TYPES.indexOf(frame.type) + 1, 0);
  message.writeUInt32BE(number, 1);
  message.set(body, HEADER_BYTES);
  return message;
}

function bodyOf(frame: Frame): Uint8Array {
  switch (frame.type) {
    case 'data':
      return frame.data;
    case 'credit': {
      const body = Buffer.allocUnsafe(4);
      body.writeUInt32BE(frame.bytes);
      return body;
    }
    case 'reset':
      return Buffer.from(frame.reason).subarray(0, MAX_REASON_BYTES);
    default:
      return EMPTY;
  }
}

const EMPTY = new Uint8Array(0);

/** Returns undefined if the bytes are not a frame. */
export function readFrame(message: Uint8Array): NumberedFrame | undefined {
  if (message.byteLength < HEADER_BYTES) return undefined;
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  const type = TYPES[bytes.readUInt8(0) - 1];
  const number = bytes.readUInt32BE(1);
  const body = bytes.subarray(HEADER_BYTES);
  switch (type) {
    case 'data':
      if (body.byteLength === 0 || body.byteLength > MAX_DATA_BYTES) return undefined;
      return { type, number, data: body };
    case 'credit':
      return body.byteLength === 4 ? { type, number, bytes: body.readUInt32BE(0) } : undefined;
    case 'reset':
      return body.byteLength > MAX_REASON_BYTES ? undefined : { type, number, reason: body.toString() };
    case 'accept':
    case 'end':
    case 'probe':
      return body.byteLength === 0 ? { type, number } : undefined;
    default:
      return undefined;
  }
}
