/** Output that cannot be written: closed, full, or full in the middle. Said, and never exit code 0; no stack trace. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KICK } from '../../tools/program.ts';
import { kickNow } from '../support/kick.ts';
import { tempFolder } from '../support/temp.ts';

/** Runs kick in a shell with this redirection; `limit`: 512-byte blocks of a file. */
function redirected(words: string, where: string, { limit = 'unlimited' } = {}) {
  const folder = tempFolder();
  const kick = KICK.map((word) => `'${word}'`).join(' ');
  const line = `ulimit -f ${limit}; ${kick} ${words} ${where}`;
  const env = { KICK_CONFIG_DIR: folder, KICK_STATE_DIR: folder, KICK_DEBUG: '' };
  const done = kickNow([], { starter: ['/bin/sh', '-c', line], cwd: folder, env });
  expect(done.err).not.toMatch(/^\s+at /m);
  return { ...done, folder };
}

test.each([
  ['nodes a.b --no-fqdn'],
  ['nodes a.b --format json'],
  ['jobs'],
  ['completion bash'],
  ['help outcomes'],
  ['--help'],
  ['run --help'],
])('kick %s to a full disk says so and is exit 74', (words) => {
  const { code, err } = redirected(words, '>/dev/full');
  expect(err).toMatch(/^kick: write to stdout: ENOSPC: .*\n$/);
  expect(code).toBe(74);
});

test('--version to a full disk is exit 74 as well', () => {
  expect(redirected('--version', '>/dev/full').code).toBe(74);
});

test('a list that a disk takes only in part is never a success', () => {
  const { code, err, folder } = redirected("nodes 'a[1-9999].b' --expand", '>list', { limit: '16' });
  expect(code).toBe(74);
  expect(err).toMatch(/^kick: write to stdout: EFBIG/);
  expect(readFileSync(join(folder, 'list')).length).toBeGreaterThan(0);
});

test('messages that cannot be written change nothing', () => {
  expect(redirected('nodes nope* --no-fqdn', '2>/dev/full').code).toBe(2);
  expect(redirected('nodes a.b', '>&- 2>&- <&-').code).toBe(0);
  expect(redirected('nodes', '2>&-').code).toBe(2);
  expect(redirected("nodes 'a[1-9999].b' --expand", '| head -1').out).toBe('a1.b\n');
});
