/** --help and `kick help`: what they show can be typed. */
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
