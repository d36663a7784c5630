/** The Puppet module and the programs that look at it. */
import { spawn } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MODULE } from '../../scripts/puppet-types.ts';
import { type Ended, ended } from '../support/kick.ts';
import { tempFolder } from '../support/temp.ts';

export { MODULE };

/** Runs a program in the module's folder, or in another, to its end. */
export function run(
  [program = '', ...args]: readonly string[],
  { cwd = MODULE, input }: { cwd?: string; input?: string } = {},
): Promise<Ended> {
  // A vendor's variables of Ruby would choose other libraries.
  const { RUBYOPT: _opt, GEM_HOME: _home, GEM_PATH: _path, ...env } = process.env;
  const child = spawn(program, args, { cwd, env: { ...env, LANG: 'C.UTF-8' } });
  child.stdin.end(input);
  return ended(child);
}

/** The arguments of `puppet apply` of a manifest that knows the module, with folders of its own. */
export function applyCommand(manifest: string): string[] {
  const folder = tempFolder();
  const modules = join(folder, 'modules');
  mkdirSync(modules);
  symlinkSync(MODULE, join(modules, 'kick'));
  const file = join(folder, 'site.pp');
  writeFileSync(file, manifest);
  const folders = ['conf', 'var', 'log', 'run', 'public'];
  // Puppet itself makes none of its folders below /dev, such as in /dev/shm.
  for (const name of [...folders, 'var/state']) mkdirSync(join(folder, name));
  const options = folders.map((name) => `--${name}dir=${join(folder, name)}`);
  return [
    ...['puppet', 'apply', `--modulepath=${modules}`, ...options],
    ...['--color=false', '--detailed-exitcodes', '--logdest=console', file],
  ];
}

/** A value as Puppet's language writes it. */
export function literal(value: unknown): string {
  if (value === null) return 'undef';
  if (typeof value === 'string') return `'${value.replace(/[\\']/g, '\\$&')}'`;
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value !== 'object') return String(value);
  const pairs = Object.entries(value).map(([key, one]) => `${literal(key)} => ${literal(one)}`);
  return `{${pairs.join(', ')}}`;
}
