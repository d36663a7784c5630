/** Questions on a terminal of their own (script of util-linux), answered and interrupted. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { KICK } from '../../tools/program.ts';
import { ended } from '../support/kick.ts';
import { realSite, type Site } from '../support/real-site.ts';

const hasScript = existsSync('/usr/bin/script');

/** Runs kick with these words on a terminal; types a key when it asks. */
function answer({ env }: Site, words: readonly string[], key: string) {
  const line = [...KICK, ...words].map((word) => `'${word}'`).join(' ');
  const child = spawn('/usr/bin/script', ['--quiet', '--return', '--command', line, '/dev/null'], {
    env: { ...process.env, ...env },
  });
  let seen = '';
  let isTyped = false;
  child.stdout.on('data', (chunk: Buffer) => {
    seen += chunk.toString();
    if (isTyped || !seen.includes('[y/N]')) return;
    isTyped = true;
    child.stdin.write(key);
  });
  return ended(child);
}

test.skipIf(!hasScript)('yes, no and Ctrl-C to the questions of a kick', async () => {
  const site = await realSite(2, () => 'echo begin >>"$JOURNAL"; exit 2');
  site.controllerYaml({ confirm_above: 0 });
  for (const [key, code] of [
    ['n\r', 2],
    ['\x03', 130],
  ] as const) {
    const before = await answer(site, ['web1'], key);
    expect(before.code, before.out).toBe(code);
  }
  expect(site.journal('web1.example.com')).toEqual([]);
  for (const [key, code] of [
    ['y\r', 0],
    ['n\r', 4],
    ['\x03', 130],
  ] as const) {
    const between = await answer(site, ['web[1-2]', '--batch', '1', '--confirm', '--yes'], key);
    expect(between.code, between.out).toBe(code);
  }
  expect(site.journal('web1.example.com')).toHaveLength(3);
  expect(site.journal('web2.example.com')).toHaveLength(1);
});
