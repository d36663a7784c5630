/** Changes of DER (X.690) in which the lengths around them still fit, mostly. */
import { lengthBytes } from '../../../src/pki/der.ts';
import type { Dice } from './dice.ts';

interface Node {
  tag: number;
  content: Buffer | Node[];
  /** Written instead of the length that it has. */
  length?: Buffer;
}

const CONSTRUCTED = 0x20;
const TAGS = [
  0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13, 0x17, 0x18, 0x1f, 0x30, 0x31, 0x3f, 0xa0, 0xa3, 0xff,
];

/** Of no end, too long, not the shortest, longer than any memory. */
const LENGTHS = [
  '80',
  '81ff',
  '8100',
  '820000',
  '82ffff',
  '83ffffff',
  '84ffffffff',
  '88ffffffffffffffff',
  'ff',
  '7f',
  '00',
].map((hex) => Buffer.from(hex, 'hex'));

const CONTENTS = [
  Buffer.alloc(0),
  Buffer.from([0]),
  Buffer.from([0xff]),
  Buffer.alloc(300, 0xff),
  Buffer.alloc(20_000, 0x41),
  ...[
    '99991231235959Z',
    '991332256161Z',
    '000000000000Z',
    '20260101000000+0100',
    'a\0b',
    '\ud800',
    '*',
    '',
  ].map((text) => Buffer.from(text)),
];

/** Undefined if it is no DER. */
function read(bytes: Buffer, depth = 0): Node[] | undefined {
  const nodes: Node[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [tag = 0, first] = bytes.subarray(at);
    if (first === undefined) return undefined;
    const count = first < 0x80 ? 0 : first & 0x7f;
    if (count > 3) return undefined;
    const begin = at + 2 + count;
    const length =
      count === 0 ? first : bytes.readUIntBE(at + 2, Math.min(count, bytes.length - at - 2) || 1);
    if (begin + length > bytes.length) return undefined;
    const content = bytes.subarray(begin, begin + length);
    const inner = (tag & CONSTRUCTED) !== 0 && depth < 40 ? read(content, depth + 1) : undefined;
    nodes.push({ tag, content: inner ?? content });
    at = begin + length;
  }
  return nodes;
}

function write(nodes: readonly Node[]): Buffer {
  return Buffer.concat(
    nodes.flatMap(({ tag, content, length }) => {
      const bytes = Buffer.isBuffer(content) ? content : write(content);
      return [element(tag, bytes, length)];
    }),
  );
}

/** `length`: written instead of the one that it has. */
export const element = (tag: number, content: Uint8Array, length?: Buffer): Buffer =>
  Buffer.concat([Buffer.from([tag]), length ?? lengthBytes(content.length), content]);

interface Place {
  list: Node[];
  at: number;
}

function placesIn(list: Node[]): Place[] {
  return list.flatMap((node, at) => [
    { list, at },
    ...(Buffer.isBuffer(node.content) ? [] : placesIn(node.content)),
  ]);
}

function change({ list, at }: Place, dice: Dice, donors: readonly Place[]): void {
  const node = list[at] as Node;
  switch (dice.roll(9)) {
    case 0:
      list.splice(at, 1);
      return;
    case 1:
      list.splice(at, 0, ...Array.from({ length: dice.once(6) ? 1500 : 1 }, () => node));
      return;
    case 2:
      list[at] = { ...node, tag: dice.once(3) ? dice.roll(256) : dice.pick(TAGS) };
      return;
    case 3:
      list[at] = { ...node, length: dice.pick(LENGTHS) };
      return;
    case 4:
      list[at] = { tag: node.tag, content: dice.pick(CONTENTS) };
      return;
    case 5: {
      const donor = dice.pick(donors);
      const { tag, content } = donor.list[donor.at] as Node;
      // A copy: it may be put into itself next.
      list[at] = { tag, content: Buffer.isBuffer(content) ? content : write(content) };
      return;
    }
    case 6:
      for (let depth = dice.pick([1, 17, 500]); depth > 0; depth--)
        list[at] = { tag: 0x30, content: [list[at] as Node] };
      return;
    case 7:
      list.reverse();
      return;
    default: {
      const bytes = Buffer.from(Buffer.isBuffer(node.content) ? node.content : write(node.content));
      if (bytes.length > 0) bytes[dice.roll(bytes.length)] = dice.roll(256);
      list[at] = { tag: node.tag, content: bytes };
    }
  }
}

/** Some changes of DER; undefined if it is none. */
export function changeDer(bytes: Buffer, dice: Dice, other: Buffer): Buffer | undefined {
  const nodes = read(bytes);
  if (nodes === undefined || nodes.length === 0) return undefined;
  const donors = placesIn(read(other) ?? read(bytes) ?? []);
  for (let left = 1 + dice.roll(2); left > 0; left--) {
    const places = placesIn(nodes);
    if (places.length > 0) change(dice.pick(places), dice, donors);
  }
  return write(nodes);
}
