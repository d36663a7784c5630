/** Changes that know nothing of what they change. */
import type { Dice } from './dice.ts';

/** What decoders of bytes stumble over. */
const ODD_BYTES = [
  ...[Buffer.from([0]), Buffer.from([0xff]), Buffer.from([0x80]), Buffer.from([0xc3, 0x28])],
  // A BOM, a surrogate in UTF-8, an overlong slash, a code point beyond the last.
  ...[Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from([0xc0, 0xaf])],
  Buffer.from([0xf4, 0x90, 0x80, 0x80]),
  ...['\r\n', '\n\n', '\r', '\0\0', '\u2028', '\u0085', '\u202e', '\ufffd', '__proto__', 'constructor'].map(
    (text) => Buffer.from(text),
  ),
];

/** Lengths and numbers at the edge of what a field can say. */
const EDGES = [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

type Change = (bytes: Buffer, dice: Dice, other: Buffer) => Buffer;

/** Replaces `length` bytes from `at`. */
const replace = (bytes: Buffer, at: number, length: number, by: Uint8Array) =>
  Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(at + length)]);

const place = (bytes: Buffer, dice: Dice) => dice.roll(bytes.length + 1);

/** Mostly short. */
const some = (bytes: Buffer, dice: Dice) =>
  dice.roll(dice.once(4) ? bytes.length + 1 : Math.min(17, bytes.length + 1));

const CHANGES: readonly Change[] = [
  function flip(bytes, dice) {
    const copy = Buffer.from(bytes);
    const at = dice.roll(bytes.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << dice.roll(8));
    return copy;
  },
  function set(bytes, dice) {
    const copy = Buffer.from(bytes);
    copy[dice.roll(bytes.length)] = dice.roll(256);
    return copy;
  },
  (bytes, dice) => bytes.subarray(0, place(bytes, dice)),
  (bytes, dice) => bytes.subarray(place(bytes, dice)),
  (bytes, dice) => replace(bytes, place(bytes, dice), some(bytes, dice), Buffer.alloc(0)),
  (bytes, dice) => replace(bytes, place(bytes, dice), dice.roll(2), dice.pick(ODD_BYTES)),
  (bytes, dice) => replace(bytes, place(bytes, dice), 0, dice.bytes(1 + dice.roll(8))),
  function repeat(bytes, dice) {
    const at = place(bytes, dice);
    const piece = bytes.subarray(at, at + some(bytes, dice));
    return replace(bytes, at, 0, Buffer.concat(Array.from({ length: 1 + dice.roll(4) }, () => piece)));
  },
  function splice(bytes, dice, other) {
    const from = place(other, dice);
    return replace(
      bytes,
      place(bytes, dice),
      some(bytes, dice),
      other.subarray(from, from + some(other, dice)),
    );
  },
  (bytes, dice, other) =>
    Buffer.concat([bytes.subarray(0, place(bytes, dice)), other.subarray(place(other, dice))]),
  function number(bytes, dice) {
    const field = Buffer.alloc(4);
    field.writeUInt32BE(dice.pick(EDGES));
    const width = dice.pick([1, 2, 3, 4]);
    return replace(bytes, place(bytes, dice), width, field.subarray(4 - width));
  },
];

/** One change. */
export function changeBytes(bytes: Buffer, dice: Dice, other: Buffer): Buffer {
  return bytes.length === 0 ? dice.bytes(dice.roll(20)) : dice.pick(CHANGES)(bytes, dice, other);
}
