/**
 * `--where 'os.family=Debian and not (class(apache) or cpus<4)'`: conditions on facts and classes joined by `and`, `or`, `not`
 * (or `!`), in this order of strength from the weakest: or, and, not.
 */
import { checkValue, type FactCondition, readComparison } from './fact-condition.ts';
import { ConditionProblem, pointingAt } from './problem.ts';

export type Where = { kind: 'and' | 'or'; parts: readonly Where[] } | { kind: 'not'; part: Where } | Leaf;

/** `text`: as typed. */
export type Leaf = { kind: 'fact'; condition: FactCondition } | { kind: 'class'; text: string; name: string };

export interface WhereCondition {
  /** As typed. */
  text: string;
  where: Where;
}

/** Maximum characters; an agent takes no more either. */
export const MAX_WHERE = 2048;

const MAX_LEAVES = 100;
const MAX_DEPTH = 50;

const HINT = `os.family=Debian and not class(apache), (a=1 or b~^x) and c>=2; blanks in a value: a='b c'`;

/** Throws `KickError` `usage` that points at the offending column. */
export function parseWhere(text: string): WhereCondition {
  return pointingAt({ text, name: '--where', hint: HINT }, () => {
    if (text.length > MAX_WHERE) throw new ConditionProblem(MAX_WHERE, `longer than ${MAX_WHERE} characters`);
    const reading: Reading = { text, at: 0, depth: 0, leaves: 0 };
    const where = readOr(reading);
    if (reading.at < text.length) throw problem(reading, unexpected(reading));
    return { text, where };
  });
}

/** All conditions in an expression. */
export function leavesOf(where: Where): Leaf[] {
  if (where.kind === 'fact' || where.kind === 'class') return [where];
  return where.kind === 'not' ? leavesOf(where.part) : where.parts.flatMap(leavesOf);
}

/** A leaf: the first that must be known, and is not. */
export type WhereVerdict = boolean | Leaf;

/** `holds` returns undefined for what cannot be judged: the whole may be true or false all the same. */
export function judgeWhere(where: Where, holds: (leaf: Leaf) => boolean | undefined): WhereVerdict {
  switch (where.kind) {
    case 'fact':
    case 'class':
      return holds(where) ?? where;
    case 'not': {
      const verdict = judgeWhere(where.part, holds);
      return typeof verdict === 'boolean' ? !verdict : verdict;
    }
    default: {
      const decides = where.kind === 'or';
      const verdicts = where.parts.map((part) => judgeWhere(part, holds));
      if (verdicts.includes(decides)) return decides;
      return verdicts.find((one) => typeof one !== 'boolean') ?? !decides;
    }
  }
}

// ---------------------------------------------------------------- reading

interface Reading {
  text: string;
  at: number;
  depth: number;
  leaves: number;
}

const problem = ({ at }: Reading, message: string) => new ConditionProblem(at, message);

const readOr = (reading: Reading) => readJoined(reading, 'or', readAnd);
const readAnd = (reading: Reading) => readJoined(reading, 'and', readNot);

function readJoined(reading: Reading, kind: 'and' | 'or', next: (reading: Reading) => Where): Where {
  const first = next(reading);
  const parts = [first];
  while (take(reading, kind === 'or' ? /or(?![^\s(!])/y : /and(?![^\s(!])/y)) parts.push(next(reading));
  return parts.length === 1 ? first : { kind, parts };
}

function readNot(reading: Reading): Where {
  if (!take(reading, /not(?![^\s(!])|!/y)) return readPrimary(reading);
  return deeper(reading, () => ({ kind: 'not', part: readNot(reading) }));
}

function readPrimary(reading: Reading): Where {
  skipBlanks(reading);
  const open = reading.at;
  if (!take(reading, /\(/y)) return readLeaf(reading);
  return deeper(reading, () => {
    const inner = readOr(reading);
    if (take(reading, /\)/y)) return inner;
    if (reading.at < reading.text.length) throw problem(reading, unexpected(reading));
    throw new ConditionProblem(open, 'the parenthesis is not closed');
  });
}

/** Parentheses that never end must not end our stack. */
function deeper(reading: Reading, read: () => Where): Where {
  reading.depth += 1;
  if (reading.depth > MAX_DEPTH) throw problem(reading, `more than ${MAX_DEPTH} levels`);
  const where = read();
  reading.depth -= 1;
  return where;
}

function readLeaf(reading: Reading): Leaf {
  reading.leaves += 1;
  if (reading.leaves > MAX_LEAVES) throw problem(reading, `more than ${MAX_LEAVES} conditions`);
  const { text, at } = reading;
  if (at >= text.length) throw problem(reading, 'a condition is missing');
  const word = /(?:and|or)(?![^\s()!])|\)/y;
  word.lastIndex = at;
  if (word.test(text))
    throw problem(reading, `a condition is missing before "${text.slice(at, word.lastIndex)}"`);
  return take(reading, /class\s*\(/y) ? readClass(reading, at) : readFact(reading, at);
}

function readClass(reading: Reading, from: number): Leaf {
  skipBlanks(reading);
  const { text, at } = reading;
  const naming = /(?:::)?[A-Za-z]\w*(?:::\w+)*/y;
  naming.lastIndex = at;
  const [name] = naming.exec(text) ?? [];
  if (name === undefined) throw problem(reading, 'the name of a class is missing');
  reading.at = naming.lastIndex;
  if (!take(reading, /\)/y)) throw problem(reading, 'the name of a class ends here: ")" is missing');
  return { kind: 'class', name, text: text.slice(from, reading.at) };
}

function readFact(reading: Reading, from: number): Leaf {
  const { text } = reading;
  const { path, comparison, end } = readComparison(text, from);
  const quote = text[end];
  const isQuoted = quote === '"' || quote === "'";
  const close = isQuoted ? text.indexOf(quote, end + 1) : endOfValue(text, end);
  if (close < 0) throw new ConditionProblem(end, 'the quote is not closed');
  const value = text.slice(isQuoted ? end + 1 : end, close);
  checkValue(end, { comparison, value });
  reading.at = isQuoted ? close + 1 : close;
  return { kind: 'fact', condition: { text: text.slice(from, reading.at), path, comparison, value } };
}

/** At a blank, or at a parenthesis that was not opened in it: `kernel~^(5|6)` is a value. A backslash protects one. */
function endOfValue(text: string, from: number): number {
  let open = 0;
  for (let at = from; at < text.length; at++) {
    const char = text[at] ?? '';
    if (char === '\\') at += 1;
    else if (char === '(') open += 1;
    else if (char === ')') open -= 1;
    if (open < 0 || /\s/.test(char)) return at;
  }
  return text.length;
}

function skipBlanks(reading: Reading): void {
  while (/\s/.test(reading.text[reading.at] ?? '')) reading.at += 1;
}

/** Moves behind what stands next, if it is that. */
function take(reading: Reading, pattern: RegExp): boolean {
  skipBlanks(reading);
  pattern.lastIndex = reading.at;
  if (!pattern.test(reading.text)) return false;
  reading.at = pattern.lastIndex;
  return true;
}

function unexpected({ text, at }: Reading): string {
  return text[at] === ')' ? 'the parenthesis was not opened' : '"and" or "or" is missing';
}
