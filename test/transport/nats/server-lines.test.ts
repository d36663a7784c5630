/** What a server may send passes, in pieces of any size; what other clients put into it is not held against the server. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ServerLines } from '../../../src/transport/nats/server-lines.ts';

/** Any bytes but those that end a word. */
const word = fc
  .uint8Array({ minLength: 1, maxLength: 12 })
  .map((bytes) => Buffer.from(bytes.map((byte) => ([9, 10, 13, 32].includes(byte) ? 120 : byte))));

const message = fc
  .tuple(word, fc.option(word), fc.uint8Array({ maxLength: 300 }), fc.boolean())
  .map(([subject, reply, body, hasHeaders]) =>
    Buffer.concat([
      Buffer.from(hasHeaders ? 'HMSG ' : 'MSG '),
      ...[subject, Buffer.from(' 1 '), ...(reply === null ? [] : [reply, Buffer.from(' ')])],
      Buffer.from(`${hasHeaders ? `${body.byteLength >> 1} ` : ''}${body.byteLength}\r\n`),
      ...[body, Buffer.from('\r\n')],
    ]),
  );

const line = fc
  .constantFrom(
    'PING',
    'PONG',
    '+OK',
    "-ERR 'Stale Connection'",
    'INFO {"version":"2.9.10","max_payload":65536} ',
  )
  .map((text) => Buffer.from(`${text}\r\n`));

test('messages with any subject, reply and body pass, however they are cut', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(message, line)), fc.array(fc.nat(50)), (parts, cuts) => {
      const lines = new ServerLines();
      let rest = Buffer.concat(parts);
      for (const cut of cuts) {
        lines.check(rest.subarray(0, cut));
        rest = rest.subarray(cut);
      }
      lines.check(rest);
    }),
  );
});

test('any other bytes are refused, or are the begin of a line, and never hold more than a line', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 70_000, maxLength: 70_000, size: 'max' }), (bytes) => {
      expect(() => new ServerLines().check(Buffer.from(bytes))).toThrow();
    }),
    { numRuns: 20 },
  );
});
