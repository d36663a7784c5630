/** Changes of text: its lines, words, brackets and numbers. */
import type { Dice } from './dice.ts';

const PIECES = [
  ...[
    '\0',
    '\ufeff',
    '\r\n',
    '\n',
    '\t',
    ' ',
    '\ud800',
    '\u2028',
    '\u0085',
    '\u202e',
    'é',
    '🦶',
    '"',
    "'",
    '\\',
    '#',
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    '-',
    '--',
    ':',
    '=',
    ',',
    '&',
    '*',
    '!',
    '[',
    ']',
    '{',
    '}',
    '(',
    ')',
    '%',
  ],
];

const NUMBERS = [
  '0',
  '-1',
  '1e999',
  '9007199254740993',
  '99999999999999999999',
  '00',
  '0x10',
  '1_000',
  '.5',
  '٣',
  '250001',
];

/** What may be deeper than a stack, or longer than a pattern likes. */
const LONG = [
  '[',
  '(',
  '{',
  '((?:',
  '!',
  'not ',
  '- ',
  'a.',
  'a,',
  '"',
  '\\',
  ' ',
  '\n',
  'aA0-',
  '&a ',
  '*a,',
  '%41',
  '/',
];

type Change = (text: string, dice: Dice, given: { other: string; words: readonly string[] }) => string;

const put = (text: string, at: number, length: number, by: string) =>
  text.slice(0, at) + by + text.slice(at + length);

const CHANGES: readonly Change[] = [
  (text, dice, { words }) =>
    put(text, dice.roll(text.length + 1), dice.roll(3), dice.pick(words.length > 0 ? words : PIECES)),
  (text, dice) => put(text, dice.roll(text.length + 1), dice.roll(2), dice.pick(PIECES)),
  (text, dice) => put(text, dice.roll(text.length + 1), dice.once(3) ? dice.roll(40) : 1, ''),
  (text, dice) => put(text, dice.roll(text.length + 1), 1, String.fromCharCode(dice.roll(0x180))),
  function number(text, dice) {
    const found = [...text.matchAll(/\d+/g)];
    if (found.length === 0) return text + dice.pick(NUMBERS);
    const { index, 0: digits } = dice.pick(found);
    return put(text, index, digits.length, dice.pick(NUMBERS));
  },
  function long(text, dice) {
    const piece = dice.pick(LONG);
    const times = dice.pick([20, 300, dice.once(8) ? 12_000 : 101]);
    const closing = { '[': ']', '(': ')', '{': '}' }[piece];
    const inner = dice.once(2) && closing !== undefined ? closing.repeat(times) : '';
    return put(text, dice.roll(text.length + 1), 0, piece.repeat(times) + inner);
  },
  function lines(text, dice, { other }) {
    const all = text.split('\n');
    const at = dice.roll(all.length);
    const line = all[at] ?? '';
    switch (dice.roll(6)) {
      case 0:
        all.splice(at, 1);
        break;
      case 1:
        all.splice(at, 0, ...Array.from({ length: dice.once(8) ? 2000 : 1 }, () => line));
        break;
      case 2:
        all.splice(at, 1, `${' '.repeat(dice.roll(5))}${line}`);
        break;
      case 3:
        all.splice(at, 1, line.trimStart());
        break;
      case 4:
        all.splice(at, 0, dice.pick(other.split('\n')));
        break;
      default:
        return all.join(dice.pick(['\r\n', '\r', '\n\n', '\u2028']));
    }
    return all.join('\n');
  },
  function splice(text, dice, { other }) {
    return text.slice(0, dice.roll(text.length + 1)) + other.slice(dice.roll(other.length + 1));
  },
  function again(text, dice) {
    const at = dice.roll(text.length + 1);
    const piece = text.slice(at, at + 1 + dice.roll(30));
    return put(text, at, 0, piece.repeat(dice.once(10) ? 500 : 1 + dice.roll(3)));
  },
];

/** Some changes. */
export function changeText(
  text: string,
  dice: Dice,
  given: { other: string; words: readonly string[] },
): string {
  let changed = text;
  for (let left = 1 + dice.roll(3); left > 0; left--) changed = dice.pick(CHANGES)(changed, dice, given);
  return changed;
}
