/** A job on a terminal of its own (script of util-linux), whose window changes its size while it lasts. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { KICK } from '../../tools/program.ts';
import { deferred } from '../support/deferred.ts';
import { ended } from '../support/kick.ts';
import { realSite, type Site } from '../support/real-site.ts';

const hasScript = existsSync('/usr/bin/script');

interface OnTerminal {
  /** Resolves to everything that was written, once `pattern` is in what came after the last call. */
  seen(pattern: RegExp): Promise<string>;
  resize(columns: number, rows: number): void;
  ended: Promise<{ code: number | null; out: string }>;
}

function onTerminal({ env }: Site, words: readonly string[], term: string): OnTerminal {
  const kick = [...KICK, ...words].map((word) => `'${word}'`).join(' ');
  const child = spawn(
    '/usr/bin/script',
    ['--quiet', '--return', '--flush', '--command', `stty cols 60 rows 12; tty; ${kick}`, '/dev/null'],
    { env: { ...process.env, ...env, TERM: term } },
  );
  let [text, from] = ['', 0];
  let check = () => {};
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    check();
  });
  return {
    seen(pattern) {
      const found = deferred<string>();
      check = () => {
        if (!pattern.test(text.slice(from))) return;
        from = text.length;
        found.resolve(text);
      };
      check();
      return found.promise;
    },
    resize(columns, rows) {
      const tty = /\/dev\/pts\/\d+/.exec(text)?.[0] ?? '';
      execFileSync('stty', ['-F', tty, 'cols', String(columns), 'rows', String(rows)]);
    },
    ended: ended(child),
  };
}

/** The rows that were drawn, without what moves the cursor. */
const rowsOf = (text: string) =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a terminal reads
  text.replaceAll(/\x1b\[\d*[A-Z]/g, '').split(/[\r\n]+/);

test.skipIf(!hasScript)('the live area follows the size of a real window', async () => {
  const site = await realSite(2, () => 'held');
  const wide = onTerminal(site, ['web[1-2]'], 'xterm');
  const before = await wide.seen(/░ {3}0% {2}0 of 2 hosts\b[\s\S]*2 running/);
  const longest = (text: string) => Math.max(...rowsOf(text).map((row) => row.length));
  expect(longest(before)).toBeLessThan(60);
  expect(before).toContain(` ${'░'.repeat(38)}   0%`);
  wide.resize(40, 10);
  await wide.seen(/ ░{18} {3}0%/);
  site.release();
  const { code, out } = await wide.ended;
  expect(code).toBe(0);
  expect(longest(out.slice(before.length))).toBeLessThan(60);
  expect(out).toContain('Pass / Fail: 2 / 0');
});

test.skipIf(!hasScript)('a terminal that can do nothing gets plain lines', async () => {
  const site = await realSite(1, () => 'exit 0');
  const { code, out } = await onTerminal(site, ['web1'], 'dumb').ended;
  expect(code).toBe(0);
  expect(out).toContain('  web1.example.com  running');
  expect(out).not.toContain('\u001b');
});
