/** Detects that the program behind `puppet` has changed: packages wrap it in layers of shell scripts. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { basename, delimiter, dirname, isAbsolute, join } from 'node:path';

const MAX_FILES = 32;
const MAX_BYTES = 16 * 1024;

/** Inode, size and times of a file; `absent` if there is none. */
export function stampOf(file: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
    return `${ino}.${size}.${mtimeNs}.${ctimeNs}`;
  } catch {
    return 'absent';
  }
}

/**
 * Stamps of the program, of the programs that its script names, of theirs, and of the file in which Puppet's packages
 * store the version. `path` is PATH as Puppet gets it.
 */
export function programStamps(puppet: string, path: string): Record<string, string> {
  const stamps: Record<string, string> = {};
  const next = [puppet];
  for (let file = next.shift(); file !== undefined; file = next.shift()) {
    if (file in stamps || Object.keys(stamps).length >= MAX_FILES) continue;
    const stamp = stampOf(file);
    if (stamp === 'absent') continue;
    stamps[file] = stamp;
    next.push(...programsIn(scriptOf(file), basename(puppet), path));
    next.push(join(dirname(dirname(file)), 'lib/ruby/vendor_ruby/puppet/version.rb'));
  }
  return stamps;
}

/** The start of a script; empty for anything else. */
function scriptOf(file: string): string {
  const begin = Buffer.alloc(MAX_BYTES);
  try {
    if (!statSync(file).isFile()) return '';
    const fd = openSync(file, 'r');
    try {
      const text = begin.toString('latin1', 0, readSync(fd, begin));
      return text.startsWith('#!') ? text : '';
    } finally {
      closeSync(fd);
    }
  } catch {
    return '';
  }
}

/** Absolute paths in a script (`${COMMAND}` in `/opt/puppetlabs/puppet/bin/${COMMAND}` is its own name), and `puppet` in PATH. */
function programsIn(script: string, name: string, path: string): string[] {
  const named = [...script.matchAll(/(?<![\w/.-])(\/[\w.+-]+)+(\/\$\{?\w+\}?)?/g)].map(([word]) =>
    word.replace(/\$\{?\w+\}?$/, name),
  );
  const inPath = /(?<![\w/.-])puppet(?![\w/.-])/.test(script)
    ? path
        .split(delimiter)
        .filter(isAbsolute)
        .map((folder) => join(folder, 'puppet'))
    : [];
  // Not files that it merely reads or writes: a log would differ each time.
  return [...named, ...inPath].filter(isProgram);
}

function isProgram(file: string): boolean {
  try {
    const stat = statSync(file);
    return stat.isFile() && (stat.mode & 0o111) !== 0;
  } catch {
    return false;
  }
}
