/**
 * What a server sends, before the client parses it: the client believes its server, collects a line or a message of any
 * size, and stops reading for good at anything that it does not know. https://docs.nats.io/reference/nats-protocol
 */
import { MAX_DATA_BYTES } from './frame.ts';

/** A greeting with thousands of addresses; what belongs to messages is below 4 KiB. */
const MAX_LINE_BYTES = 64 << 10;
/** The most that is recommended as `max_payload`, with headers. */
const MAX_MESSAGE_BYTES = 8 << 20;
/** Of a stream, with what the client adds. */
export const LEAST_PAYLOAD = MAX_DATA_BYTES + 4096;

const LF = 0x0a;
const CRLF = '\r\n';
const EMPTY = Buffer.alloc(0);

/** Follows the lines and messages that pass. */
export class ServerLines {
  #begun = EMPTY;
  /** Bytes of a message that are still to come. */
  #left = 0;
  #isMessageOver = false;

  /** The next bytes. Throws what is wrong with them. */
  check(bytes: Buffer): void {
    for (let at = 0; at < bytes.byteLength; ) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, bytes.byteLength - at);
        this.#left -= taken;
        at += taken;
        continue;
      }
      const end = bytes.indexOf(LF, at);
      const part = bytes.subarray(at, end < 0 ? bytes.byteLength : end + 1);
      if (this.#begun.byteLength + part.byteLength > MAX_LINE_BYTES)
        throw new Error('it sends a line that is too long');
      const line = this.#begun.byteLength === 0 ? part : Buffer.concat([this.#begun, part]);
      at += part.byteLength;
      if (end >= 0) this.#follow(line.toString('latin1'));
      this.#begun = end < 0 ? Buffer.from(line) : EMPTY;
    }
  }

  #follow(line: string): void {
    if (this.#isMessageOver) {
      if (line !== CRLF) throw new Error('it sends a message of another length');
      this.#isMessageOver = false;
      return;
    }
    const size = sizeAfter(line);
    if (size === undefined) return;
    if (size > MAX_MESSAGE_BYTES) throw new Error(`it sends a message of ${size} bytes`);
    this.#left = size;
    this.#isMessageOver = true;
  }
}

/** Any byte but four may be part of a subject, and other clients choose them. */
const MESSAGE =
  /^(?:MSG [^ \t\r\n]+ \d{1,9} (?:[^ \t\r\n]+ )?|HMSG [^ \t\r\n]+ \d{1,9} (?:[^ \t\r\n]+ )?(?<headers>\d{1,9}) )(?<all>\d{1,9})\r\n$/;

/** Bytes of the message that a line announces; undefined if it announces none. */
function sizeAfter(line: string): number | undefined {
  const message = MESSAGE.exec(line);
  if (message !== null) {
    const { headers = '0', all } = message.groups ?? {};
    if (Number(headers) <= Number(all)) return Number(all);
  } else if (/^(?:PING|PONG|\+OK|-ERR [^\r]*)\r\n$/.test(line)) return undefined;
  else if (line.startsWith('INFO ')) {
    greetingOf(line);
    return undefined;
  }
  throw new Error('it is no NATS server');
}

export interface Greeting {
  hasTls: boolean;
  needsTls: boolean;
}

/** Reads an INFO; throws why kick cannot use the server. */
export function greetingOf(line: string): Greeting {
  let info: unknown;
  try {
    info = JSON.parse(/^INFO (\{.*\})\s*$/.exec(line)?.[1] ?? '');
  } catch {
    info = undefined;
  }
  const { version, max_payload, tls_required, tls_available } = (info ?? {}) as Record<string, unknown>;
  if (typeof version !== 'string' || !/^\d+\.\d+\.\d+/.test(version) || typeof max_payload !== 'number')
    throw new Error('it is no NATS server');
  if (max_payload < LEAST_PAYLOAD)
    throw new Error(
      `it takes messages of ${max_payload} bytes: max_payload must be at least ${LEAST_PAYLOAD}`,
    );
  return { needsTls: tls_required === true, hasTls: tls_required === true || tls_available === true };
}
