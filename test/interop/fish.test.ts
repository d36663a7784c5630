/** What fish offers at TAB, asked of the program itself. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { KICK } from '../../tools/program.ts';
import { completionSite } from '../support/completion-site.ts';

test('fish: commands, hosts, groups, expressions, option values, jobs and files', () => {
  const { folder, env, ran } = completionSite(KICK);
  const offered = (line: string) =>
    execFileSync(
      'fish',
      ['--no-config', '-c', 'kick completion fish | source; complete --do-complete -- $argv[1]', '--', line],
      { cwd: folder, env, encoding: 'utf8' },
    )
      .split('\n')
      .filter(Boolean);
  for (const [line, wanted] of [
    ['kick pin', ['ping']],
    ['kick jobs sto', ['stop']],
    ['kick jobs show e4', ['e41c07aa']],
    ['kick db', ['db.example.com']],
    ['kick @d', ['@dmz']],
    ['kick web1.example.com,db', ['web1.example.com,db.example.com']],
    ['kick nodes --format js', ['json']],
    ['kick run --format=jsonl', ['--format=jsonl']],
    ['kick --nodes-file no', ['nodes.d/', 'nodes.txt']],
    ['kick --nodes-file=no', ['--nodes-file=nodes.d/', '--nodes-file=nodes.txt']],
  ] as const)
    expect(offered(line), line).toEqual(wanted);
  expect(existsSync(ran)).toBe(false);
});
