/** The man pages say what --help says: every command, every option, every topic. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { manPages } from '../../scripts/man/pages.ts';
import { escaped } from '../../scripts/man/roff.ts';
import { OPTION_GROUPS } from '../../src/cli/options/groups.ts';
import { makeProgram } from '../../src/cli/program.ts';
import { OUTCOME_NAMES } from '../../src/protocol/outcome.ts';
import { ROOT } from '../../tools/program.ts';
import { silentTerminal } from '../../tools/silent-terminal.ts';

const pages = await manPages('2026-11-27');
const pageOf = (file: string) => pages.find((page) => page.file === file)?.text ?? '';

test('the package has all pages', () => {
  const { man } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { man: string[] };
  expect(pages.map(({ file }) => `dist/man/${file}`)).toEqual(man);
});

test('kick(1) has every command and every option that --help shows', async () => {
  const program = await makeProgram({ terminal: silentTerminal, env: {}, exit() {} });
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

test('kick(1) has the options of kick run in the groups of its --help', () => {
  const section = pageOf('kick.1').split('.SS "kick run ')[1]?.split('.SS ')[0] ?? '';
  for (const heading of Object.values(OPTION_GROUPS)) {
    expect(section).toContain(`\n.PP\n\\fB${escaped(heading.slice(0, -1))}\\fR\n`);
  }
});

test('no part of a page repeats its heading', () => {
  for (const { file, text } of pages)
    expect(text, file).not.toMatch(/^\.SH "(\w+)"\n(\.\w+\n)*(\\&|\\fB)\1(:|\\fR)$/im);
});

test('text that looks like a request of roff is text', () => {
  expect(escaped(".x 'y' \\n -z …")).toBe('\\&.x \\(aqy\\(aq \\en \\-z \\[u2026]');
});
