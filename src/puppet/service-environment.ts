/**
 * The environment that puppet.service would give a run: `FACTER_role=web` in one of its environment files
 * is a fact, and a run without it gets another catalog (docs/puppet.md, "What a run inherits").
 */
import { KickError, systemCode } from '../errors.ts';
import { readTrusted } from '../util/trusted-file.ts';

/** The `EnvironmentFile=` lines of puppet.service, in its order. */
export const ENVIRONMENT_FILES: readonly string[] = [
  '/etc/sysconfig/puppetagent',
  '/etc/sysconfig/puppet',
  '/etc/default/puppet',
];

const MAX_BYTES = 64 * 1024;

/** These would change which code runs, not which facts it has. */
const NEVER = /^(RUBYOPT|RUBYLIB|LD_.*)$/;

export interface ServiceEnvironment {
  variables: Record<string, string>;
  /** The words of PUPPET_EXTRA_OPTS: puppet.service passes them to `puppet agent`. */
  extraOptions: string[];
  /** Why a file or line was left out. Sentences. */
  warnings: string[];
}

/**
 * Reads the files. Missing ones are ignored, and those that cannot be read are left out with a warning. Throws `KickError`
 * `untrusted` for one that others can change: without it a run would get another catalog.
 */
export function serviceEnvironment(files: readonly string[] = ENVIRONMENT_FILES): ServiceEnvironment {
  const variables: Record<string, string> = {};
  const warnings: string[] = [];
  for (const file of files) {
    const text = textOf(file, warnings);
    if (text === undefined) continue;
    for (const [name, value] of assignmentsIn(text)) {
      if (NEVER.test(name)) warnings.push(`${file}: ${name} is left out`);
      else variables[name] = value;
    }
  }
  const { PUPPET_EXTRA_OPTS = '', ...rest } = variables;
  return { variables: rest, extraOptions: wordsOf(PUPPET_EXTRA_OPTS), warnings };
}

function textOf(file: string, warnings: string[]): string | undefined {
  try {
    const doing = `read puppet.service's environment file "${file}"`;
    return readTrusted(file, { doing, maxBytes: MAX_BYTES }).toString('utf8');
  } catch (error) {
    if (error instanceof KickError) throw error;
    if (systemCode(error) !== 'ENOENT') warnings.push(`${file} is left out: it cannot be read`);
    return undefined;
  }
}

/** NAME=value lines as systemd.exec(5) reads them: comments with # and ;, one level of quotes, "\" before a line's end. */
export function* assignmentsIn(text: string): Generator<[name: string, value: string]> {
  for (const line of text.replace(/\\\r?\n/g, '').split(/\r?\n/)) {
    const match = /^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line);
    const [, name, raw] = match ?? [];
    if (name === undefined || raw === undefined) continue;
    yield [name, unquote(raw.trim())];
  }
}

function unquote(value: string): string {
  const quoted = /^(["'])(.*)\1$/s.exec(value);
  if (quoted === null) return value.replace(/\\(.)/g, '$1');
  return quoted[1] === '"' ? (quoted[2] ?? '').replace(/\\(["\\$`])/g, '$1') : (quoted[2] ?? '');
}

/** Splits a variable at blanks as systemd.service(5) does; quotes and backslashes group text and are removed. */
export function wordsOf(text: string): string[] {
  const words = text.match(/(?:"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?|\\.?|[^\s"'\\])+/gs) ?? [];
  return words.map((word) =>
    word.replace(/"((?:\\.|[^"\\])*)"?|'((?:\\.|[^'\\])*)'?/gs, '$1$2').replace(/\\(.?)/gs, '$1'),
  );
}

/** Options of `puppet agent` itself (lib/puppet/application/agent.rb), which are no settings; with or without a value. */
const WITH_VALUE = /^(?:--(?:fqdn|digest|sourceaddress|logdest|job-id)|-[flw])$/;
const ALONE = /^--(?:test|verbose|debug|enable|disable|fingerprint|detailed-exitcodes|help|version)$/;

/**
 * Of the options of `puppet agent`, those that set a setting to a value: with them `puppet config print` prints the
 * agent's actual settings. Flags are left out: no path or name depends on one.
 */
export function settingWords(options: readonly string[]): string[] {
  const words: string[] = [];
  for (let index = 0; index < options.length; index++) {
    const word = options[index] ?? '';
    const next = options[index + 1];
    const hasValue = next !== undefined && !next.startsWith('-');
    if (/^--[^=]+=/.test(word)) {
      if (!WITH_VALUE.test(word.replace(/=.*/s, ''))) words.push(word);
    } else if (WITH_VALUE.test(word)) {
      index += 1;
    } else if (word.startsWith('--') && hasValue && !ALONE.test(word)) {
      words.push(word, next);
      index += 1;
    }
  }
  return words;
}
