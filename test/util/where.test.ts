/** `--where`: one expression of facts and classes, judged as true, false, or not to be judged. */
import { expect, test } from 'vitest';
import { judge, valueAt } from '../../src/conditions/fact-condition.ts';
import { fitsOf } from '../../src/conditions/judge-facts.ts';
import { judgeWhere, type Leaf, leavesOf, parseWhere } from '../../src/conditions/where.ts';
import { KickError } from '../../src/errors.ts';

const FACTS = { os: { family: 'Debian', release: { full: '12.10' } }, cpus: 4, note: 'a (b) c', tags: ['x'] };

/** `undefined`: it cannot be judged. `classes`: undefined if they are not known. */
function holds(text: string, classes?: string[]): boolean | undefined {
  const { where } = parseWhere(text);
  const verdict = judgeWhere(where, (leaf: Leaf) => {
    if (leaf.kind === 'class') return classes?.includes(leaf.name);
    const value = valueAt(FACTS, leaf.condition.path);
    const one = judge(value, leaf.condition, fitsOf([leaf.condition], [[value]])[0]);
    return one === 'incomparable' ? undefined : one;
  });
  return typeof verdict === 'boolean' ? verdict : undefined;
}

test.each<[string, boolean]>([
  ['os.family=Debian', true],
  ['os.family = Debian and cpus >= 4', true],
  ['not os.family=Debian', false],
  ['!os.family=RedHat', true],
  ['not not os.family=Debian', true],
  ['os.family=RedHat or os.family=Debian and cpus=5', false],
  ['(os.family=RedHat or os.family=Debian) and cpus=4', true],
  ['not (os.family=RedHat or cpus=5)', true],
  ['not os.family=RedHat and cpus=5', false],
  ['os.family~^(Deb|Red)', true],
  ['(os.family~^(Deb|Red))', true],
  ['os.family~Deb\\w+ and(cpus=4)', true],
  ["note='a (b) c' and note~'b\\)'", true],
  ['note="a (b) c"', true],
  ['os.release.full>=12.4', true],
  ['class(apache)', true],
  ['class( ::ntp::server ) or class(apache)', true],
  ['cpus=4\nand class(apache)', true],
  ['android=1 or notes=1 or order=1', false],
  ['missing=1', false],
  ['not missing=1', true],
])('%j is %s', (text, is) => {
  expect(holds(text, ['apache'])).toBe(is);
});

test.each<[string, boolean | undefined]>([
  ['class(a)', undefined],
  ['not class(a)', undefined],
  ['class(a) and cpus=5', false],
  ['class(a) and cpus=4', undefined],
  ['class(a) or cpus=4', true],
  ['class(a) or cpus=5', undefined],
  ['not (class(a) and cpus=5)', true],
  ['not (class(a) or cpus=4)', false],
  ['tags>3 or cpus=4', true],
  ['tags>3 and cpus=4', undefined],
])('%j without classes is %s: what is not known decides nothing', (text, is) => {
  expect(holds(text)).toBe(is);
});

test.each<[string, string, number]>([
  ['', 'a condition is missing', 1],
  ['os.family=Debian and', 'a condition is missing', 21],
  ['and cpus=4', 'a condition is missing before "and"', 1],
  ['(cpus=4 or ) ', 'a condition is missing before ")"', 12],
  ['os.family=Debian cpus=4', '"and" or "or" is missing', 18],
  ['(cpus=4', 'the parenthesis is not closed', 1],
  ['cpus=4) or cpus=5', 'the parenthesis was not opened', 7],
  ['cpus=4 and apache', 'a comparison is missing', 18],
  ['cpus= and x=1', 'and', 0],
  ['cpus=', 'a value is missing', 6],
  ['class()', 'the name of a class is missing', 7],
  ['class(apache nginx)', 'the name of a class ends here', 14],
  ["note='a b", 'the quote is not closed', 6],
  ['a=1 and os.family~(', 'Invalid regular expression', 19],
  ['cpus>many', 'is neither a number nor a version', 6],
  [`${'('.repeat(60)}a=1`, 'more than 50 levels', 52],
  ['not '.repeat(500), 'more than 50 levels', 0],
  ['a=1 or '.repeat(150), 'more than 100 conditions', 0],
  [' '.repeat(3000), 'longer than 2048 characters', 2049],
])('%j is refused at its column', (text, message, column) => {
  if (column === 0 && message === 'and') {
    // A value that looks like a word of the language: what follows it is then missing.
    expect(() => parseWhere(text)).toThrow(/"and" or "or" is missing, see column 11/);
    return;
  }
  const error = caught(() => parseWhere(text));
  expect(error).toBeInstanceOf(KickError);
  expect(error).toMatchObject({ code: 'usage' });
  expect(error?.message).toContain(
    `--where: ${message === 'is neither a number nor a version' ? '"many" ' : ''}`,
  );
  expect(error?.message).toContain(message);
  if (column > 0) expect(error?.message).toContain(`see column ${column}`);
  for (const line of error?.message.split('\n') ?? []) expect(line.length).toBeLessThan(220);
});

test('any text is read or refused, in no time, and what is read says all its conditions', () => {
  const pieces = [
    '(',
    ')',
    ' and ',
    ' or ',
    'not ',
    '!',
    'a=1',
    'class(b)',
    "c~'^x'",
    '"',
    "'",
    '=',
    '\\',
    ' ',
  ];
  let seed = 7;
  const next = () => (seed = (seed * 1103515245 + 12345) % 2147483648);
  let read = 0;
  for (let round = 0; round < 5000; round++) {
    const text = Array.from({ length: next() % 12 }, () => pieces[next() % pieces.length]).join('');
    try {
      const { where } = parseWhere(text);
      expect(leavesOf(where).length).toBeGreaterThan(0);
      read += 1;
    } catch (error) {
      expect(error).toBeInstanceOf(KickError);
    }
  }
  expect(read).toBeGreaterThan(50);
});

function caught(act: () => void): Error | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}
