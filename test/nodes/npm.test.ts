/** What `npm pack` makes works by `npm i -g`, with npx, and with what it has in its own folder. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { version } from '../../src/cli/version.ts';
import { ROOT } from '../../tools/program.ts';
import { tempFolder } from '../support/temp.ts';

/** As a user whose only npm settings are the machine's. */
function run(program: string, words: readonly string[], cwd: string): string {
  const variables = Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD|NODE_ENV)/.test(name));
  return execFileSync(program, words, { cwd, encoding: 'utf8', env: Object.fromEntries(variables) });
}

test('npm pack, npm i -g and npx: the command, its page and its manual', () => {
  const folder = tempFolder();
  const [prefix, project] = [join(folder, 'prefix'), join(folder, 'project')];
  for (const one of [prefix, project]) mkdirSync(one);
  const [{ filename, files }] = JSON.parse(
    // Its build would take dist away from the tests beside this one.
    run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], ROOT),
  );
  const names = files.map(({ path }: { path: string }) => path);
  expect(names).toEqual(
    expect.arrayContaining([
      'dist/bin.js',
      'dist/commit',
      'dist/man/kick.1',
      'dist/web/app/index.html',
      'LICENSE',
    ]),
  );
  expect(names.filter((name: string) => /^(src|test|node_modules|packaging\/out)\//.test(name))).toEqual([]);
  const archive = join(folder, filename);
  const quietly = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel', 'error'];
  run('npm', ['install', '--global', '--prefix', prefix, ...quietly, archive], folder);
  const told = run(join(prefix, 'bin', 'kick'), ['--version', '--verbose'], folder);
  expect(told).toMatch(
    new RegExp(`^kick ${version()}\ncommit [0-9a-f]{40}\\+?\nNode .*\ninstalled from npm \\(`),
  );
  expect(run(join(prefix, 'bin', 'kick'), ['help', 'hosts'], folder)).toContain('kick');
  run('npm', ['install', ...quietly, archive], project);
  expect(run('npx', ['--no-install', 'kick', '--version'], project)).toBe(`${version()}\n`);
});
