/** README.md and docs/: what they say of commands, files and tables is what the program has. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { documents, readDocument, withTables } from '../../scripts/docs.ts';
import { AgentConfigSchema } from '../../src/config/agent-config.ts';
import { ControllerConfigSchema } from '../../src/config/controller-config.ts';
import { AGENT_KEYS, CONTROLLER_KEYS, keysOf } from '../../src/config/keys.ts';
import { readYamlFile } from '../../src/config/yaml-file.ts';
import { readInventoryFiles } from '../../src/controller/targeting/inventory-files.ts';
import { ROOT } from '../../tools/program.ts';
import { tempFolder } from '../support/temp.ts';
import { codeBlocks, commandLines, examples, inlineCommands, shellWords } from './code-blocks.ts';
import { problemOf } from './program.ts';

describe.each(documents())('%s', (path) => {
  const text = readDocument(path);

  test('has the tables of the code', () => {
    expect(text, 'npm run docs writes them').toBe(withTables(text));
  });

  test('has commands and options that exist', async () => {
    for (const { words, line } of [...commandLines(text), ...examples(text)]) {
      expect(await problemOf(words), `line ${line}: kick ${words.join(' ')}`).toBeUndefined();
    }
    for (const { words, line } of inlineCommands(text)) {
      // A sentence names a command without all that it needs.
      const problem = await problemOf(words);
      if (problem?.startsWith('commander.missing') === true) continue;
      expect(problem, `line ${line}: kick ${words.join(' ')}`).toBeUndefined();
    }
  });

  test('has examples of files that are valid', async () => {
    for (const { text: yaml, line } of codeBlocks(text).filter(({ language }) => language === 'yaml')) {
      await checkYaml(yaml, `line ${line}`);
    }
  });

  test('has links that lead somewhere', () => {
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [file = '', anchor] = target.split('#');
      const at = file === '' ? path : join(dirname(path), file);
      expect(existsSync(join(ROOT, at)), target).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(readDocument(at)), target).toContain(anchor);
    }
  });
});

test('the README is short, and begins with what kick is for', () => {
  const lines = readDocument('README.md').split('\n');
  expect(lines.length).toBeLessThan(150);
  expect(lines.slice(0, 50).join('\n')).toMatch(/```sh\nkick web1/);
});

test('every key of the configuration files is described, and no other', () => {
  const keys = (schema: Parameters<typeof keysOf>[0]) => keysOf(schema).map(([key]) => key);
  expect(Object.keys(AGENT_KEYS).sort()).toEqual(keys(AgentConfigSchema).sort());
  expect(Object.keys(CONTROLLER_KEYS).sort()).toEqual(keys(ControllerConfigSchema).sort());
});

test('shellWords splits as a shell does', () => {
  expect(shellWords(`kick 'a b' "c\\"d" e#f <in >out | jq -r '.x' # why`)).toEqual([
    ...['kick', 'a b', 'c"d', 'e#f', '<in', '>out', '|', 'jq', '-r', '.x'],
  ]);
});

async function checkYaml(yaml: string, where: string): Promise<void> {
  const [, name = ''] = /^# (?:\/etc\/kick\/)?(\S+)\n/.exec(yaml) ?? [];
  const folder = tempFolder();
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, yaml);
  const what = { what: where };
  if (name === 'agent.yaml') await readYamlFile(path, AgentConfigSchema, what);
  else if (name === 'controller.yaml') await readYamlFile(path, ControllerConfigSchema, what);
  else if (name === 'inventory.yaml') {
    await readInventoryFiles({ path, groups: undefined, groupsPath: '' });
  } else throw new Error(`${where}: an example of a file begins with a comment that names it`);
}

/** As GitHub makes them of headings. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(({ 1: heading = '' }) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
