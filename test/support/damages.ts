/** What may become of a file: by a full disk, a power cut, a bad block, a bug, or by hand. */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { randomFrom } from '../../src/cli/demo/run-shape.ts';

export interface Damage {
  what: string;
  /** Nothing of the file's own content is left in its place. */
  isTotal: boolean;
  /** `path`: an existing file. */
  apply(path: string): void;
}

const WRONG_JSON = ['null', '[]', '"text"', '5', '{}', `${'['.repeat(500)}${']'.repeat(500)}`];

export interface DamageOptions {
  /** Which bits are flipped, and what garbage is. */
  seed: number;
  /** Of a file that is far too long; defaults to a GB, without taking any space. */
  hugeBytes?: number;
}

/** All kinds of damage. `folder`: one of the test's own with a short path, for what links lead to. */
export function damages(folder: string, { seed, hugeBytes = 1 << 30 }: DamageOptions): Damage[] {
  return [...cuts(), ...flips(seed), ...contents(seed, hugeBytes), ...strangers(folder)];
}

function total(what: string, apply: Damage['apply']): Damage {
  return { what, isTotal: true, apply };
}

function part(what: string, apply: Damage['apply']): Damage {
  return { what, isTotal: false, apply };
}

function cuts(): Damage[] {
  const at = [0.01, 0.3, 0.6, 0.9];
  const size = (path: string) => readFileSync(path).length;
  return [
    total('empty', (path) => writeFileSync(path, '')),
    total('missing', (path) => rmSync(path, { recursive: true })),
    ...at.map((share) =>
      part(`cut at ${share * 100} %`, (path) => truncateSync(path, Math.floor(size(path) * share))),
    ),
    ...[1, 2].map((bytes) =>
      part(`the last ${bytes} bytes cut off`, (path) => truncateSync(path, Math.max(0, size(path) - bytes))),
    ),
  ];
}

function flips(seed: number): Damage[] {
  const next = randomFrom(seed);
  return Array.from({ length: 8 }, (_, index) => {
    const [place, bit] = [next(), Math.floor(next() * 8)];
    return part(`bit ${bit} flipped at ${Math.round(place * 100)} % (${index})`, (path) => {
      const bytes = readFileSync(path);
      const at = Math.floor(place * bytes.length);
      if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
      writeFileSync(path, bytes);
    });
  });
}

function contents(seed: number, hugeBytes: number): Damage[] {
  const next = randomFrom(seed + 1);
  const garbage = Buffer.from(Array.from({ length: 700 }, () => Math.floor(next() * 256)));
  const put = (bytes: Buffer | string) => (path: string) => writeFileSync(path, bytes);
  const append = (bytes: Buffer | string) => (path: string) => appendFileSync(path, bytes);
  const overwrite = (share: number, bytes: Buffer) => (path: string) => {
    const all = readFileSync(path);
    bytes.copy(all, Math.floor(all.length * share));
    writeFileSync(path, all);
  };
  return [
    total('garbage', put(garbage)),
    total('invalid UTF-8', put(Buffer.from('{"a":"\xff\xfe"}\n', 'latin1'))),
    total('zeros', put(Buffer.alloc(4096))),
    ...WRONG_JSON.map((text) => total(`JSON of another type: ${text.slice(0, 6)}`, put(text))),
    total('a line of JSON of another type', put('{"type":5}\n')),
    total('a newer version', put('{"v":999,"type":"later"}\n')),
    total(`${hugeBytes} bytes without any`, (path) => {
      writeFileSync(path, '');
      truncateSync(path, hugeBytes);
    }),
    total('a line of a megabyte', put(`"${'x'.repeat(1 << 20)}"\n`)),
    part('garbage at the end', append(garbage)),
    part('zeros at the end', append(Buffer.alloc(4096))),
    part(
      'zeros and a line break at the end',
      append(Buffer.concat([Buffer.alloc(600_000), Buffer.from('\n')])),
    ),
    part(`a hole up to ${hugeBytes} bytes at the end`, (path) => truncateSync(path, hugeBytes)),
    part('zeros in its middle', overwrite(0.4, Buffer.alloc(40))),
    part('invalid UTF-8 in its middle', overwrite(0.5, Buffer.from([0xff, 0xfe, 0xc0]))),
    part('garbage in its place and its end kept', overwrite(0, garbage.subarray(0, 30))),
    part('twice', (path) => appendFileSync(path, readFileSync(path))),
    part('line breaks of another system', (path) =>
      writeFileSync(path, readFileSync(path, 'latin1').replaceAll('\n', '\r\n'), 'latin1'),
    ),
  ];
}

/** Something else in the file's place. */
function strangers(folder: string): Damage[] {
  const inPlace = (make: (path: string) => void) => (path: string) => {
    rmSync(path, { recursive: true });
    make(path);
  };
  const [pipe, socket] = [join(folder, 'pipe'), join(folder, 'socket')];
  if (!existsSync(pipe)) execFileSync('mkfifo', [pipe]);
  // It is made with the first, and its path is short enough for one.
  const server = existsSync(socket) ? undefined : createServer().listen(socket);
  server?.unref();
  return [
    total('a folder', inPlace(mkdirSync)),
    total(
      'a folder with files',
      inPlace((path) => {
        mkdirSync(path);
        for (const name of ['request.json', 'x']) writeFileSync(join(path, name), '{}');
      }),
    ),
    total(
      'a pipe',
      inPlace((path) => linkSync(pipe, path)),
    ),
    total(
      'a socket',
      inPlace((path) => linkSync(socket, path)),
    ),
    total(
      'a link to another file',
      inPlace((path) => symlinkSync('/etc/passwd', path)),
    ),
    total(
      'a link to a folder',
      inPlace((path) => symlinkSync(folder, path)),
    ),
    total(
      'a link to itself',
      inPlace((path) => symlinkSync(path, path)),
    ),
    total(
      'a link to nothing',
      inPlace((path) => symlinkSync(join(folder, 'nothing'), path)),
    ),
    total(
      'a link to a device without end',
      inPlace((path) => symlinkSync('/dev/zero', path)),
    ),
    total(
      'a link to a terminal',
      inPlace((path) => symlinkSync('/dev/tty', path)),
    ),
    total('a link to a copy of itself', (path) => {
      const copy = join(folder, `copy-${Math.random()}`);
      cpSync(path, copy, { recursive: true });
      rmSync(path, { recursive: true });
      symlinkSync(copy, path);
    }),
  ];
}
