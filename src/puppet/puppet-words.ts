/** Extracts the error from Puppet's stderr, for people. */
import { clip } from '../util/text.ts';

const MAX = 500;

/** ECMA-48 sequences that set colours. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: such sequences start with one
const ESCAPES = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;

/** The first line of the first error, without colours; undefined if there is none. */
export function puppetErrorIn(stderr: string): string | undefined {
  const line = linesOf(stderr).find((one) => /^(Error|Critical|Alert|Emergency): /.test(one));
  return line === undefined ? undefined : clip(line.replace(/^\w+: /, ''), MAX);
}

/** The same; if Puppet did not get as far as reporting an error, the first line that is not just a warning. */
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
