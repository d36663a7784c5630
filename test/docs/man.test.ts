/** The man pages say what --help says: every command, every option, every topic. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { manPages } from '../../scripts/man/pages.ts';
import { escaped } from '../../scripts/man/roff.ts';
import { makeProgram } from '../../src/cli/program.ts';
import { OUTCOME_NAMES } from '../../src/protocol/outcome.ts';
import { ROOT } from '../support/build.ts';

const pages = await manPages('2026-11-27');
const pageOf = (file: string) => pages.find((page) => page.file === file)?.text ?? '';

test('the package has all pages', () => {
  const { man } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { man: string[] };
  expect(pages.map(({ file }) => `dist/man/${file}`)).toEqual(man);
});

test('kick(1) has every command and every option that --help shows', async () => {
  const silent = { isTty: false, color: false, columns: () => 80, out() {}, err() {} };
  const program = await makeProgram({ terminal: silent, env: {}, exit() {} });
  const text = pageOf('kick.1');
  const check = (command: Command, path: string) => {
    const help = command.createHelp();
    if (path !== 'kick') expect(text).toContain(`.SS "${escaped(path)} `);
    const section =
      path === 'kick' ? text : (text.split(`.SS "${escaped(path)} `)[1]?.split('.SS ')[0] ?? '');
    for (const { long } of help.visibleOptions(command)) {
      if (long === '--help' || path === 'kick') continue;
      expect(section, path).toContain(escaped(long ?? ''));
    }
    for (const child of help.visibleCommands(command))
      if (child.name() !== 'help') check(child, `${path} ${child.name()}`);
  };
  check(program, 'kick');
  for (const outcome of OUTCOME_NAMES) expect(text).toContain(escaped(`${outcome} (`));
});

test('text that looks like a request of roff is text', () => {
  expect(escaped(".x 'y' \\n -z …")).toBe('\\&.x \\(aqy\\(aq \\en \\-z \\[u2026]');
});
