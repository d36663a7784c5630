/** The folders of one input, and what of them its words and files name. Nothing outside of them is written. */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import type { FileContent, FileDamage } from './files.ts';
import type { Input } from './input.ts';

/** What all inputs share. */
export interface Shared {
  /** Holds everything. */
  base: string;
  /** The controller's certificate and a store of jobs, copied for each input. */
  pki: string;
  state: string;
  /** An address where nothing listens, and one where something answers that is no agent. */
  closed: string;
  hostile: string;
  /** Options whose next word is their value. */
  valueFlags: ReadonlySet<string>;
}

export interface Place {
  folder: string;
  /** The controller's folders, as variables. */
  env: Record<string, string>;
  /** Puts paths in the place of their names, and what leads elsewhere into our folder. */
  resolve(text: string): string;
  remove(): void;
}

/** Makes what PLACES names, once. */
export function makeOddPlaces(base: string): void {
  writeFileSync(join(base, 'file'), 'web1\n');
  writeFileSync(join(base, 'bytes'), Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x0a, 0xc3, 0x28]));
  symlinkSync('loop', join(base, 'loop'));
  symlinkSync('nowhere', join(base, 'broken'));
  execFileSync('mkfifo', [join(base, 'fifo')]);
}

/** Read by some, written by none. */
const OUTSIDE = ['/dev/null', '/dev/full', '/dev/zero', '/proc/self/mem'];

export function makePlace(
  { base, pki, state, closed, hostile }: Shared,
  { inventory, controller, nodes, damage, env }: Omit<Input, 'words' | 'columns' | 'stdin'>,
): Place {
  const folder = join(base, 'input');
  rmSync(folder, { recursive: true, force: true });
  const [etc, own] = [join(folder, 'etc'), join(folder, 'folder')];
  for (const path of [etc, own]) mkdirSync(path, { recursive: true });
  cpSync(pki, join(folder, 'pki'), { recursive: true });
  cpSync(state, join(folder, 'state'), { recursive: true });
  const names: Readonly<Record<string, string>> = {
    '@FILE@': join(base, 'file'),
    '@FOLDER@': own,
    '@MISSING@': join(folder, 'missing'),
    '@FIFO@': join(base, 'fifo'),
    '@UNDER-FILE@': join(base, 'file', 'x'),
    '@LOOP@': join(base, 'loop'),
    '@BROKEN@': join(base, 'broken'),
    '@BYTES@': join(base, 'bytes'),
    '@LONG@': join(folder, 'l'.repeat(300)),
    '@NODES@': join(folder, 'nodes'),
    '@CLOSED@': closed,
    '@HOSTILE@': hostile,
  };
  const named = (text: string) =>
    Object.entries(names).reduce((all, [name, path]) => all.replaceAll(name, path), text);
  const inside = (text: string) => {
    const value = named(text);
    const [, before = '', path = ''] = /^(--[^=]+=)?(\/.*)$/s.exec(value) ?? [];
    if (path === '' || resolve(path).startsWith(base) || OUTSIDE.includes(path)) return value;
    return `${before}${join(own, path)}`;
  };
  writeFileSync(join(folder, 'nodes'), nodes);
  putFile(join(etc, 'inventory.yaml'), inventory, { named, base });
  putFile(join(etc, 'controller.yaml'), controller, { named, base });
  if (damage !== undefined) damageStore(join(folder, 'state'), damage, { named, base });
  return {
    folder,
    env: {
      ...{ KICK_CONFIG_DIR: etc, KICK_STATE_DIR: join(folder, 'state'), KICK_PKI_DIR: join(folder, 'pki') },
      ...{ KICK_RUN_DIR: join(folder, 'run'), KICK_CERTNAME: 'puppet.example.com', PATH: '/nowhere' },
      ...Object.fromEntries(Object.entries(env).map(([name, value]) => [name, named(value)])),
    },
    resolve: inside,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function putFile(
  path: string,
  content: FileContent,
  { named, base }: { named(text: string): string; base: string },
): void {
  if ('text' in content) writeFileSync(path, named(content.text));
  else {
    const target = named(content.place);
    const isOurs = OUTSIDE.includes(target) || resolve(target).startsWith(base);
    if (isOurs && target !== '' && content.place !== '@MISSING@') symlinkSync(target, path);
  }
}

/** Of remembered jobs and locks. */
function damageStore(
  state: string,
  { at, place, from, length, text }: FileDamage,
  { named, base }: { named(text: string): string; base: string },
): void {
  const all = readdirSync(state, { recursive: true, encoding: 'utf8' }).sort();
  const path = join(state, all[at % all.length] ?? '');
  const isFolder = statSync(path).isDirectory();
  if (place === undefined && !isFolder) {
    const content = readFileSync(path, 'utf8');
    const start = from % (content.length + 1);
    writeFileSync(path, content.slice(0, start) + text + content.slice(start + length));
  } else {
    rmSync(path, { recursive: true });
    putFile(path, place === undefined ? { text } : { place }, { named, base });
  }
}
