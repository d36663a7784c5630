/** What TAB does, in a real bash. */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { complete } from '../../src/cli/completion/complete.ts';
import { makeProgram } from '../../src/cli/program.ts';
import { openTerminal } from '../../src/cli/terminal.ts';
import { KICK, PROGRAM } from '../../tools/program.ts';
import { type CompletionSite, completionSite } from '../support/completion-site.ts';

/** What bash itself would hand over: it splits at COMP_WORDBREAKS, each row of them a word. */
function wordsOf(line: string): string[] {
  const words = line.match(/'[^']*'?|[@><=;|&(:]+|(?:\\.|[^\s@><=;|&(:'])+/g) ?? [];
  return line.endsWith(' ') ? [...words, ''] : words;
}

function tab({ env, folder }: CompletionSite, line: string): string[] {
  const words = wordsOf(line);
  const script = `source <(kick completion bash); COMP_WORDS=("\${@:2}"); COMP_CWORD=$(($# - 2))
    COMP_LINE=$1 COMP_POINT=\${#1}; _kick; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const out = execFileSync('bash', ['--norc', '-c', script, 'bash', line, ...words], {
    ...{ env, cwd: folder, encoding: 'utf8' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return out.split('\n').filter((one) => one !== '');
}

/** Plain lines for which bash is asked all the same. */
const FIRST = ['kick we', 'kick jobs show ', 'kick --accept unreachable,di'];

const terminal = openTerminal({ noColor: true });

async function direct({ env }: CompletionSite, line: string): Promise<readonly string[]> {
  return complete(await makeProgram({ terminal, env, exit() {} }), line.split(' ').slice(1), env);
}

const WEB = ['web1.example.com', 'web2.example.com'];

test('bash: commands, options, values, hosts within expressions, jobs and files', async () => {
  const site = completionSite(KICK);
  const cases: [string, string[]][] = [
    ['kick we', WEB],
    ['kick jo', ['jobs']],
    ['kick fr', ['front']],
    ['kick jobs s', ['show', 'stop']],
    ['kick jobs show ', ['last', 'e41c07aa']],
    ['kick rerun e4', ['e41c07aa']],
    ['kick jobs resume l', ['last']],
    ['kick completion ', ['bash', 'fish', 'zsh']],
    ['kick --dry', ['--dry-run']],
    ['kick ping --connect-t', ['--connect-timeout']],
    ['kick run --skip_t', ['--skip-tags']],
    ['kick jobs --fo', ['--format']],
    ['kick pki issue a.b --role ', ['agent', 'controller']],
    ['kick run --format ', ['human', 'json', 'jsonl']],
    ['kick nodes --format ', ['human', 'json']],
    ['kick --no-fqdn -y disable --fo', ['--for', '--format']],
    ['kick --state-dir /tmp jobs s', ['show', 'stop']],
    // Behind a break of the word bash keeps what stands before it.
    ['kick run --format=js', ['json', 'jsonl']],
    ['kick --if-running s', ['skip']],
    ['kick --last failed,c', ['failed,changed']],
    ['kick --accept unreachable,di', ['unreachable,disabled']],
    ['kick jobs --outcome tim', ['timed-out']],
    ['kick @', ['all', 'dmz', 'asked']],
    ['kick status @d', ['dmz']],
    ['kick --group d', ['dmz']],
    ['kick --host db', ['db.example.com']],
    ['kick run --format json web1.example.com we', WEB],
    ['kick run -- we', WEB],
    ['kick web1.example.com,we', WEB.map((name) => `web1.example.com,${name}`)],
    ['kick web1^db', ['web1^db.example.com']],
    ['kick @dmz!web2', ['dmz!web2.example.com']],
    ["kick '@dmz&we", WEB.map((name) => `@dmz&${name}`)],
    ['kick @dmz\\&web2', ['dmz\\&web2.example.com']],
    ["kick --host='@dmz!web2", ['@dmz!web2.example.com']],
    ["kick 'web[1,2]!web2", ['web[1,2]!web2.example.com']],
    ["kick 'web[1,", []],
    ['kick oracle-', ['oracle-db', 'oracle-old']],
    ['kick --nodes-file no', ['nodes.d', 'nodes.txt']],
    ['kick --nodes-file=nodes.t', ['nodes.txt']],
    ['kick help sta', ['status']],
    ['kick help e', ['enable', 'exit-codes']],
    ['kick help jobs ', []],
    ['kick --reason ', []],
    ['kick __', []],
  ];
  for (const [line, expected] of cases) {
    // A shell and a program each take their time: where no character means anything to bash, ask directly.
    const isPlain = /^[\w ,.-]+$/.test(line) && !line.includes('--nodes-file') && !FIRST.includes(line);
    const found = isPlain ? await direct(site, line) : tab(site, line);
    expect([...found].sort(), line).toEqual([...expected].sort());
  }
  const all = tab(site, 'kick ');
  expect(all).toEqual(expect.arrayContaining(['run', 'agent', 'completion', 'help', ...WEB, '@dmz']));
  expect(all.filter((word) => word.startsWith('__'))).toEqual([]);
  expect(existsSync(site.ran)).toBe(false);
});

test('bash: of names with colons only what stands behind the last colon is replaced', () => {
  const names = '[ "$1" = completion ] || exec printf "%s\\n" rack:7:a rack:7:b';
  const rest = `exec "${process.execPath}" "${PROGRAM}" "$@"`;
  const site = completionSite(['/bin/sh', '-c', `${names}; ${rest}`, 'kick']);
  expect(tab(site, 'kick ra')).toEqual(['rack:7:a', 'rack:7:b']);
  expect(tab(site, 'kick rack:')).toEqual(['7:a', '7:b']);
  expect(tab(site, 'kick rack:7:')).toEqual(['a', 'b']);
  expect(tab(site, "kick 'rack:7:")).toEqual(['rack:7:a', 'rack:7:b']);
});

test('a broken inventory completes nothing, prints nothing and exits with 0; folders on the line count', () => {
  const site = completionSite(KICK);
  const other = completionSite(KICK);
  writeFileSync(join(site.etc, 'inventory.yaml'), 'targets: [');
  const [node = '', ...args] = KICK;
  const complete = (...words: string[]) =>
    execFileSync(node, [...args, '__complete', ...words], { env: site.env, encoding: 'utf8' });
  expect(complete('--', 'we')).toBe('');
  expect(complete('--', 'ping', '--host', 'we')).toBe('');
  expect(complete('--', 'pin')).toBe('ping\n');
  expect(complete('--', `--config-dir=${other.etc}`, 'web1')).toBe('web1.example.com\n');
  expect(complete('--', 'run', '--config-dir', other.etc, 'web1')).toBe('web1.example.com\n');
  expect(complete('--', '--no-color')).toBe('--no-color\n');
  expect(complete()).not.toContain('web1');
});
