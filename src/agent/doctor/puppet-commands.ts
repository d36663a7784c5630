/** Recognises command lines that start Puppet runs, in crontabs and among processes. */
import { basename } from 'node:path';

/** Options with which `puppet agent` or `puppet apply` does something other than a run. */
const NO_RUN =
  /^(--(enable|disable|fingerprint|configprint|genconfig|genmanifest|help|version|parseonly)(=.*)?|-[hV])$/;

/**
 * A single run: `--onetime`, and `-t` alone or among others (`-tv`). The words may be a stranger's, and of 128 kB: no letter is
 * tried for two things.
 */
const ONE_RUN = /^(--onetime|--test|--job-id(=.*)?|-[a-su-z]*t[a-z]*)$/;

/** Programs that only mention what follows them. */
const MENTIONS: ReadonlySet<string> = new Set([
  ...['echo', 'printf', 'logger', 'mail', 'grep', 'egrep', 'fgrep', 'zgrep', 'sed', 'awk'],
  ...['pgrep', 'pkill', 'killall', 'pidof', 'ps', 'test', '[', '[['],
]);

/** Whether a crontab or shell script has a command that starts runs. */
export function textRunsPuppet(text: string): boolean {
  return text
    .replace(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*/, ''))
    .flatMap((line) => line.split(/&&|\|\||[;|&(){}`]/))
    .some((command) => runOf(wordsOf(command)) !== undefined);
}

/** Whether a process is a `puppet agent` daemon. `words` may be a title that the process gave itself. */
export function isDaemon(words: readonly string[]): boolean {
  const options = runOf(words, ['agent', 'agent:']);
  return options !== undefined && !options.some((word) => ONE_RUN.test(word));
}

/** Returns the words after `puppet agent` or `puppet apply`; undefined if that starts no run. */
function runOf(
  words: readonly string[],
  names: readonly string[] = ['agent', 'apply'],
): string[] | undefined {
  const at = words.findIndex(
    (word, index) => basename(word) === 'puppet' && names.includes(words[index + 1] ?? ''),
  );
  if (at < 0 || words.slice(0, at).some((word) => MENTIONS.has(basename(word)))) return undefined;
  const options = words.slice(at + 2);
  return options.some((word) => NO_RUN.test(word)) ? undefined : options;
}

function wordsOf(command: string): string[] {
  return command
    .split(/\s+/)
    .map((word) => word.replace(/^["']+|(?<!["'])["']+$/g, ''))
    .filter((word) => word !== '');
}
