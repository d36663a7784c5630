/** What Puppet says on its stderr, for people. */
import { clip } from '../util/text.ts';

const MAX = 500;

/** ECMA-48: what colours a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it is about
const ESCAPES = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;

/** The first line of its first error, plain; undefined where it tells of none. */
export function puppetErrorIn(stderr: string): string | undefined {
  const line = linesOf(stderr).find((one) => /^(Error|Critical|Alert|Emergency): /.test(one));
  return line === undefined ? undefined : clip(line.replace(/^\w+: /, ''), MAX);
}

/** The same; where Puppet did not get so far as to call it an error, the first line that is no mere warning. */
export function firstComplaint(stderr: string): string | undefined {
  const lines = linesOf(stderr);
  const first =
    lines.find((line) => !/^(Warning|Notice|Info|Debug): |: warning: |^\(/.test(line)) ?? lines[0];
  return puppetErrorIn(stderr) ?? (first === undefined ? undefined : clip(first, MAX));
}

function linesOf(text: string): string[] {
  return text
    .replace(ESCAPES, '')
    .split(/[\r\n]+/)
    .map((line) => line.replace(/\p{Cc}/gu, ' ').trim())
    .filter((line) => line !== '');
}
