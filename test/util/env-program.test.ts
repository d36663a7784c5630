/** What env(1) starts for a script's first line, as env itself has it. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { envProgram } from '../../src/util/env-program.ts';
import { tempFolder } from '../support/temp.ts';

const STARTED: readonly (readonly [string, string | undefined])[] = [
  ['ksh0', 'ksh0'],
  ['ksh0 -e', 'ksh0 -e'], // one word: no program of this name
  ['-S ksh0', 'ksh0'],
  ['-Sksh0 -e', 'ksh0'],
  ['-S -u FOO ksh0', 'ksh0'],
  ['-S -uFOO ksh0', 'ksh0'],
  ['-S -C / ksh0', 'ksh0'],
  ['-S --unset FOO ksh0', 'ksh0'],
  ['-S A=b ksh0 C=d', 'ksh0'],
  ['-S -i /bin/ksh0', '/bin/ksh0'],
  ['-S --chdir=/ ksh0', 'ksh0'],
  ['-vS ksh0', 'ksh0'],
  ['--split-string=ksh0 -e', 'ksh0'],
  ['-S env ksh0', 'ksh0'],
  ['-S /usr/bin/env -u A ksh0', 'ksh0'],
  ['-S -- ksh0', 'ksh0'],
  ['', undefined],
  ['A=b', undefined],
];

test.each(STARTED)('env %j starts %j', (argument, started) => {
  expect(envProgram(argument)).toBe(started);
});

test.each([
  '-S "ksh0"',
  "-S 'ksh0' -e",
  '-S $' + '{SHELL}',
  '-S \\ksh0',
  '-S PATH=/tmp ksh0',
  '-S -i ksh0',
  '-S -vi ksh0',
  '-S - ksh0',
  '-S -u PATH ksh0',
  '-S -uPATH env ksh0',
  '-S --unset=PATH ksh0',
  '-S --argv0 x ksh0',
])('of env %j it cannot be told', (argument) => {
  expect(envProgram(argument)).toBe('unclear');
});

test('the kernel and env start the same', () => {
  const folder = join(tempFolder(), 'bin');
  mkdirSync(folder);
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o755);
    return join(folder, name);
  };
  write('ksh0', '#!/bin/sh\necho started\n');
  const env = { PATH: `${folder}:/usr/bin:/bin` };
  for (const [argument, started] of STARTED.filter(([, one]) => one === 'ksh0')) {
    const script = write('script', `#!/usr/bin/env ${argument}\n`);
    const said = execFileSync(script, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    expect(`${argument}: ${said.trim()}`, started).toBe(`${argument}: started`);
  }
});
