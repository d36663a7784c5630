/** The picture in the README: a screen as a terminal has it, and the SVG that plays it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createScreen } from '../../scripts/picture/screen.ts';
import { svgOf } from '../../scripts/picture/svg.ts';
import { createLiveArea } from '../../src/report/live-area.ts';
import { ROOT } from '../../tools/program.ts';

const shown = (screen: ReturnType<typeof createScreen>) =>
  screen.rows().map((row) => row.map(({ char }) => char).join(''));

test('the screen follows a live area that is drawn again and again, with lines above it', () => {
  const screen = createScreen({ columns: 40, rows: 5 });
  // The kernel's line discipline makes CR LF of it.
  const write = (text: string) => screen.write(text.replaceAll('\n', '\r\n'));
  const size = { columns: () => 40, rows: () => 5 };
  const area = createLiveArea({ out: write, err: write, draw: write, ...size, isOutElsewhere: false });
  area.draw(['one running', 'two running']);
  area.above('zero done', { to: 'err' });
  area.draw(['two running']);
  expect(shown(screen)).toEqual(['zero done', 'two running', '']);
  screen.write('a\r\nb\r\nc\r\nd\r\n');
  expect(shown(screen)).toEqual(['a', 'b', 'c', 'd', '']);
});

test('the screen keeps styles, wraps at its edge, erases lines and passes over the rest', () => {
  const screen = createScreen({ columns: 4, rows: 3 });
  screen.write('\u001b[?25l\u001b[1;31mab\u001b[0mcdef\r\u001b[K\u001b[32mx\u001b[39my');
  expect(shown(screen)).toEqual(['abcd', 'xy']);
  expect(screen.rows().map((row) => row.map(({ style }) => style))).toEqual([
    ['1;31', '1;31', '', ''],
    ['32', ''],
  ]);
});

test('a window that becomes narrower wraps its lines, and a wider one joins them again', () => {
  const screen = createScreen({ columns: 8, rows: 3 });
  screen.write('abcdefgh\r\n日本語x\r\n');
  screen.resize({ columns: 5, rows: 3 });
  expect(shown(screen)).toEqual(['日本', '語x', '']);
  expect(screen.gone()).toHaveLength(2);
  screen.resize({ columns: 20, rows: 3 });
  expect(shown(screen)).toEqual(['日本語x', '']);
});

test('a row that stays the same is drawn once, and the last frame is what remains without animation', () => {
  const cells = (text: string) => [...text].map((char) => ({ char, style: '' }));
  const frames = [
    { at: 0, rows: [cells('$ kick <a> & b'), cells('running')] },
    { at: 1000, rows: [cells('$ kick <a> & b'), cells('done')] },
  ];
  const svg = svgOf(frames, { columns: 20, rows: 3, title: 'a "title"', holdMs: 1000 });
  expect(svg.match(/<text /g)).toHaveLength(3);
  expect(svg).toContain('$ kick &lt;a&gt; &amp; b');
  expect(svg).toContain('a &quot;title&quot;');
  expect(svg).toMatch(/<g class="k1-2 e"><text [^>]*>done<\/text><\/g>/);
  expect(svg).toContain('@keyframes k0-1{0%{visibility:visible}50%{visibility:hidden}}');
});

test('the picture of the README is light, and shows how hosts ended', () => {
  const path = join(ROOT, 'docs', 'terminal.svg');
  expect(existsSync(path)).toBe(true);
  const svg = readFileSync(path, 'utf8');
  expect(svg.length).toBeLessThan(60_000);
  for (const word of ['changed', 'unchanged', 'failed', 'unreachable']) expect(svg).toContain(word);
  expect(svg).not.toMatch(/<script|href=/);
});
