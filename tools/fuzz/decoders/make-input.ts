/** One input of a decoder: a sample, changed. */
import type { Opened, Sample } from './decoder.ts';
import type { Dice } from './dice.ts';
import { changeBytes } from './mutate-bytes.ts';
import { changeDer } from './mutate-der.ts';
import { changeJson } from './mutate-json.ts';
import { changeText } from './mutate-text.ts';

const MAX_BYTES = 64 << 10;

/** Each input has only so many changes, so that it gets deep. */
export function makeInput({ samples, words = [], maxBytes = MAX_BYTES }: Opened, dice: Dice): Buffer {
  const sample = dice.pick(samples);
  const other = dice.pick(samples);
  const wrap = sample.wrap ?? ((inner: Uint8Array) => inner);
  const isStructured = sample.shape !== 'bytes' && !dice.once(5);
  const inner = isStructured ? structured(sample, dice, { other, words }) : Buffer.from(sample.bytes);
  let made: Buffer = Buffer.from(wrap(inner));
  if (!isStructured || dice.once(12)) {
    const spare = Buffer.from(other.wrap?.(other.bytes) ?? other.bytes);
    for (let left = 1 + dice.roll(3); left > 0; left--) made = Buffer.from(changeBytes(made, dice, spare));
  }
  if (dice.once(300)) made = stretched(made, maxBytes);
  return made.length > maxBytes + 1 ? made.subarray(0, maxBytes + 1) : made;
}

/** As long as it may be. */
function stretched(bytes: Buffer, maxBytes: number): Buffer {
  const size = Math.min(maxBytes, 1 << 20);
  const times = Math.ceil(size / Math.max(1, bytes.length));
  return Buffer.concat(Array.from({ length: times }, () => bytes)).subarray(0, size);
}

interface Given {
  other: Sample;
  words: readonly string[];
}

function structured({ shape, bytes }: Sample, dice: Dice, given: Given): Buffer {
  const spare = Buffer.from(given.other.bytes);
  const text = () => Buffer.from(bytes).toString('utf8');
  switch (shape) {
    case 'json':
      return Buffer.from(changeJson(text(), dice, spare.toString('utf8')) ?? text());
    case 'lines':
      return Buffer.from(changedLines(text(), dice, spare.toString('utf8')));
    case 'der':
      return changeDer(Buffer.from(bytes), dice, spare) ?? Buffer.from(bytes);
    default:
      return Buffer.from(changeText(text(), dice, { other: spare.toString('utf8'), words: given.words }));
  }
}

/** A line each is a document. */
function changedLines(text: string, dice: Dice, other: string): string {
  const lines = text.split('\n');
  const at = dice.roll(Math.max(1, lines.length - 1));
  const donor = dice.pick(other.split('\n'));
  const changed = changeJson(lines[at] ?? '', dice, donor) ?? donor;
  switch (dice.roll(5)) {
    case 0:
      lines.splice(at, 1, changed, changed);
      break;
    case 1:
      lines.splice(dice.roll(lines.length), 0, changed, donor);
      break;
    default:
      lines[at] = changed;
  }
  return lines.join('\n');
}
