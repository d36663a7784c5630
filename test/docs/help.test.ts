/** --help and `kick help`: what they show can be typed. */
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { topicText } from '../../src/cli/help/topic-text.ts';
import { TOPICS } from '../../src/cli/help/topics.ts';
import { OUTCOME_NAMES } from '../../src/protocol/outcome.ts';
import { commandsIn } from './code-blocks.ts';
import { allCommands, helpOf, problemOf, programOf } from './program.ts';

/** Example lines: the command, then behind two blanks what it is for. */
function exampleLines(text: string): string[] {
  return [...text.matchAll(/^ {2}(kick .+?)(?: {2,}.*)?$/gm)].map(([, command = '']) => command);
}

describe.each(allCommands(await programOf()))('%s --help', (path, command) => {
  test('has examples that can be typed', async () => {
    for (const line of path === 'kick help' ? [] : exampleLines(helpOf(command))) {
      for (const { words } of commandsIn(line, 0)) expect(await problemOf(words), line).toBeUndefined();
    }
  });

  test('fits 80 columns', () => {
    for (const line of helpOf(command).split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  test('has a heading for every group, and --help in one of them', () => {
    const headings = [...helpOf(command).matchAll(/^\S.*:$/gm)].map(([heading]) => heading);
    expect(new Set(headings).size).toBe(headings.length);
    const own = command.options.filter(({ hidden }) => !hidden).map((one) => one.helpGroupHeading);
    for (const heading of own) expect(headings).toContain(heading ?? 'Options:');
  });
});

test('kick --help lists the commands in groups, kick run --help the options', async () => {
  const program = await programOf();
  const headingsOf = (command: Command) =>
    [...helpOf(command).matchAll(/^\S.*:$/gm)].map(([heading]) => heading);
  expect(headingsOf(program)).toEqual([
    'Options:',
    'Running Puppet:',
    'Looking at hosts:',
    'Pausing and stopping:',
    'Setting up:',
    'Examples:',
  ]);
  const run = program.commands.find((one) => one.name() === 'run');
  expect(run && headingsOf(run)).toEqual([
    'Arguments:',
    'Choosing hosts:',
    'What to run:',
    'Rollout:',
    'Waiting:',
    'Output and exit code:',
    'Where things are:',
    'Examples:',
  ]);
});

test('a command line that names one command has the same help as all of them', async () => {
  const all = await programOf();
  for (const name of ['run', 'status', 'disable', 'agent']) {
    const alone = await programOf([name]);
    const helpIn = (program: Command) => {
      const command = program.commands.find((one) => one.name() === name);
      return command && helpOf(command);
    };
    expect(helpIn(alone)).toBe(helpIn(all));
  }
});

describe.each(TOPICS)('kick help $name', (topic) => {
  const text = topicText(topic, 80);

  test('has examples that can be typed', async () => {
    for (const line of exampleLines(text)) {
      for (const { words } of commandsIn(line, 0)) expect(await problemOf(words), line).toBeUndefined();
    }
  });

  test('fits 80 columns', () => {
    for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  });
});

test('kick help outcomes has them all; its columns follow the terminal', () => {
  const [outcomes] = TOPICS;
  if (outcomes === undefined) throw new Error('no topics');
  for (const name of OUTCOME_NAMES)
    expect(topicText(outcomes, 80)).toMatch(new RegExp(`^ {2}${name} \\(`, 'm'));
  expect(topicText(outcomes, 60).split('\n').length).toBeGreaterThan(
    topicText(outcomes, 100).split('\n').length,
  );
});
