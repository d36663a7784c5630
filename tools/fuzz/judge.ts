/** What no command line may do, whatever it was given. */
import { EXIT } from '../../src/protocol/outcome.ts';

/** How one command line ended. */
export interface Ending {
  code: number;
  out: string;
  err: string;
}

/** 70 is an error of kick itself, and is not among them. */
const ALLOWED: readonly number[] = [0, 1, 3, 4, EXIT.usage, EXIT.output, EXIT.locked, EXIT.interrupted];

const MAX_ERR = 64 << 10;

/** 250,000 names of 255 characters, which is all that one command line may choose. */
const MAX_OUT = 64 << 20;

/** C0 but for line ends, DEL, C1, marks of direction and of no width, separators of lines. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\0-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;

/** The colours that kick itself has (report/paint.ts). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: such sequences start with one
const OWN_COLOURS = /\u001b\[(0|2|3[1-6])m/g;

export interface Judged {
  /** Those of the command line. */
  words: readonly string[];
  /** All of the input, as text: what it says itself may be repeated. */
  given: string;
  color: boolean;
  /** Options whose next word is their value. */
  valueFlags: ReadonlySet<string>;
}

export function judge({ code, out, err }: Ending, { words, given, color, valueFlags }: Judged): string[] {
  const isSaid = (word: string) => err.includes(word) && !given.includes(word);
  const control = (text: string) => CONTROL.exec(color ? text.replace(OWN_COLOURS, '') : text)?.[0];
  const raw = control(out) ?? control(err);
  return [
    ...(ALLOWED.includes(code) ? [] : [`exit code ${code}`]),
    ...(/^\s+at .*:\d+/m.test(err) ? ['a stack trace'] : []),
    ...['undefined', '[object Object]', 'NaN'].filter(isSaid).map((word) => `it says ${word}`),
    ...(err.length > MAX_ERR ? [`${err.length} characters on stderr`] : []),
    ...(out.length > MAX_OUT ? [`${out.length} characters on stdout`] : []),
    ...(raw === undefined ? [] : [`the control character ${JSON.stringify(raw)} gets out`]),
    ...(code === EXIT.usage && !/kick: |Usage: |Nothing was sent|Nothing to run again|"level"/.test(err)
      ? ['it says nothing']
      : []),
    ...jsonProblems(out, words, valueFlags),
  ];
}

/** What is printed as one document is one, and so is each line of many. */
function jsonProblems(out: string, words: readonly string[], valueFlags: ReadonlySet<string>): string[] {
  const isHelp = words.some((word) => ['-h', '--help', 'help', '__complete'].includes(word));
  const format = formatIn(words, valueFlags);
  if (isHelp || out === '' || out.startsWith('Usage:')) return [];
  if (format === 'json') return isJson(out) ? [] : ['its document is not JSON'];
  const isEach = format !== 'jsonl' || out.trimEnd().split('\n').every(isJson);
  return isEach ? [] : ['a line of its output is not JSON'];
}

/** What the last `--format` asks for. `--certname --format=json` asks for the certname "--format=json". */
function formatIn(words: readonly string[], valueFlags: ReadonlySet<string>): string | undefined {
  let format: string | undefined;
  for (let at = 0; at < words.length && words[at] !== '--'; at++) {
    const word = words[at] ?? '';
    if (word.startsWith('--format=')) format = word.slice('--format='.length);
    if (word === '--format') format = words[at + 1];
    if (takesNext(word, valueFlags)) at += 1;
  }
  return format;
}

/** `-qn 5`: the last of several may take it. */
function takesNext(word: string, valueFlags: ReadonlySet<string>): boolean {
  if (word.startsWith('--')) return valueFlags.has(word.replaceAll('_', '-'));
  return /^-[a-zA-Z]+$/.test(word) && valueFlags.has(`-${word.at(-1)}`);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
