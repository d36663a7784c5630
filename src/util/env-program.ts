/** Which program env(1) starts for a script's first line, `#!/usr/bin/env …`. The kernel hands on the rest of the line as one word. */

/** Its options without a value, or with one in the same word (coreutils 9, src/env.c). */
const ALONE =
  /^(-|--|-[iv]+|-[uC].+|--ignore-environment|--debug|--(unset|chdir)=.*|--(block|default|ignore)-signal(=.*)?|--list-signal-handling)$/;

/** The next word is theirs. */
const WITH_VALUE = /^(-[iv]*[uC]|--unset|--chdir)$/;

/** Afterwards a name is looked for elsewhere: an empty environment has no PATH. */
const CHANGES_PATH = /^(- |-[iv]*i|--ignore-environment|PATH=|-[iv]*u ?PATH( |$)|--unset[= ]PATH( |$))/;

/** `-S`, perhaps with others before it, and what it splits. */
const SPLIT = /^-(?:[iv]*S|-split-string[= ])[ \t]*(.*)$/;

/**
 * The name or path of the program; undefined if none is started; `unclear` if it depends on more than is understood here:
 * quotes, variables, another PATH, unknown options.
 */
export function envProgram(argument: string): string | undefined | 'unclear' {
  const whole = argument.trim();
  if (whole === '') return undefined;
  const [, split] = SPLIT.exec(whole) ?? [];
  if (split === undefined) return programIn([whole]);
  if (/["'\\$#]/.test(split)) return 'unclear';
  return programIn(split.split(/[ \t]+/).filter((word) => word !== ''));
}

function programIn(words: readonly string[], hadOwnPath = true): string | undefined | 'unclear' {
  let hasOwnPath = hadOwnPath;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const isOption = word.startsWith('-');
    hasOwnPath &&= !CHANGES_PATH.test(`${word} ${WITH_VALUE.test(word) ? words[at + 1] : ''}`);
    if (!isOption && word.includes('=')) continue;
    if (WITH_VALUE.test(word)) at += 1;
    else if (isOption && !ALONE.test(word)) return 'unclear';
    else if (!isOption && /(^|\/)env$/.test(word)) return programIn(words.slice(at + 1), hasOwnPath);
    else if (!isOption) return hasOwnPath || word.startsWith('/') ? word : 'unclear';
  }
  return undefined;
}
