/** Programs that run as root: the way to them, and to what interprets them, must be nobody else's. */
import { closeSync, constants, existsSync, openSync, readSync } from 'node:fs';
import { basename, delimiter, isAbsolute, join } from 'node:path';
import { isUntrusted, KickError } from '../errors.ts';
import { envProgram } from './env-program.ts';
import { systemPath } from './search-path.ts';
import { type TrustedPath, type TrustOptions, trustedPath } from './trusted-path.ts';

/** linux/binfmts.h, BINPRM_BUF_SIZE: the kernel reads no more of a script's first line. */
const FIRST_LINE_BYTES = 256;

/** As the kernel's (fs/exec.c, exec_binprm): interpreters that are scripts themselves. */
const MAX_DEPTH = 5;

export interface ProgramTrust extends TrustOptions {
  /** Where a bare name is found, and what `#!/usr/bin/env ruby` names; like PATH, defaults to `systemPath()`. */
  searchPath?: string | undefined;
}

/**
 * Returns what to execute in place of `path`: links are resolved as far as they keep its name, by which some programs know
 * what they are (`/opt/puppetlabs/bin/puppet` is a link to wrapper.sh). What cannot be found or reached is returned as it
 * is: it cannot be executed either. Throws `KickError` `untrusted` if others can change it, its interpreter, or the way to
 * either.
 */
export function trustedProgram(path: string, options: ProgramTrust): string {
  const found = path.includes('/') ? path : inPath(path, options);
  return found === undefined ? path : judged(found, options, 0);
}

function judged(path: string, options: ProgramTrust, depth: number): string {
  const found = followed(path, options);
  if (found?.stat?.isFile() === true && depth < MAX_DEPTH) {
    for (const interpreter of interpretersOf(found.path, options)) judged(interpreter, options, depth + 1);
  }
  return found?.named ?? path;
}

function followed(path: string, options: TrustOptions): TrustedPath | undefined {
  try {
    return trustedPath(path, options);
  } catch (error) {
    if (isUntrusted(error)) throw error;
    return undefined;
  }
}

/** `/usr/bin/ruby` for `#!/usr/bin/ruby`; `/usr/bin/env` and the ruby that it finds for `#!/usr/bin/env ruby`. */
function interpretersOf(script: string, options: ProgramTrust): string[] {
  const line = firstLineOf(script).trim();
  const [interpreter = ''] = line.split(/[ \t]/);
  if (!isAbsolute(interpreter)) return [];
  if (!isEnv(interpreter, options)) return [interpreter];
  const name = envProgram(line.slice(interpreter.length));
  if (name === undefined) return [interpreter];
  if (name === 'unclear' || (name.includes('/') && !isAbsolute(name))) throw unclear(script, options);
  const found = isAbsolute(name) ? name : inPath(name, options);
  return [interpreter, ...(found === undefined ? [] : [found])];
}

/** By its own name, or by the one of what a link leads to. */
function isEnv(interpreter: string, options: ProgramTrust): boolean {
  return [interpreter, followed(interpreter, options)?.path ?? ''].some((path) => basename(path) === 'env');
}

function unclear(script: string, { doing }: ProgramTrust): KickError {
  return new KickError('untrusted', `${doing}: which program env starts for "${script}" cannot be told`, {
    hint: 'let its first line name the interpreter by its path: #!/usr/bin/ruby',
  });
}

function inPath(name: string, { searchPath = systemPath() }: ProgramTrust): string | undefined {
  if (name === '') return undefined;
  return searchPath
    .split(delimiter)
    .filter(isAbsolute)
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));
}

/** Without `#!`; empty for what is no script, or cannot be read. */
function firstLineOf(file: string): string {
  const begin = Buffer.alloc(FIRST_LINE_BYTES);
  try {
    const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const text = begin.toString('latin1', 0, readSync(descriptor, begin));
      return /^#!(.*)/.exec(text)?.[1] ?? '';
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return '';
  }
}
