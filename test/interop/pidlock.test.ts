/** Whose pid counts as a run: Puppet's own Pidlock is asked the same questions. */
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { catalogRunHolder, rubyInteger } from '../../src/agent/puppet/lock-files.ts';
import { namedProcess, threadAndZombie } from '../support/processes.ts';
import { tempFolder } from '../support/temp.ts';

const hasPuppet = spawnSync('ruby', ['-e', 'require "puppet"']).status === 0;

/** It removes the files that it takes for stale. */
const PIDLOCK = `
require 'puppet'
Puppet.initialize_settings(['--confdir', ARGV[0], '--vardir', ARGV[0]])
ARGV.drop(1).each { |path| puts Puppet::Util::Pidlock.new(path).locked? }
`;

test.skipIf(!hasPuppet)("kick and Puppet's Pidlock agree on who holds a lock", async () => {
  const folder = tempFolder();
  const names = ['puppet', 'puppet-x', 'xpuppet', 'puppetx', 'puppet x', 'my ruby', 'rubypuppet', 'sleep'];
  const pids: [string, number][] = [];
  for (const name of names) {
    pids.push([name, (await namedProcess(name)).pid]);
    pids.push([`${name} of puppet`, (await namedProcess(name, { argv0: 'x puppet y' })).pid]);
  }
  for (const name of ['puppet', 'xpuppet', 'puppet-x', 'ruby', 'a\npuppet', 'rubypuppet x']) {
    const { zombie, thread } = (await threadAndZombie(name)) ?? {};
    if (zombie !== undefined && thread !== undefined)
      pids.push([`zombie ${name}`, zombie], [`thread ${name}`, thread]);
  }
  const paths = pids.map(([, pid], index) => {
    const path = join(folder, `lock${index}`);
    writeFileSync(path, String(pid));
    return path;
  });
  const ours: boolean[] = [];
  for (const path of paths) ours.push((await catalogRunHolder(path, Date.now())) !== undefined);
  const answer = execFileSync('ruby', ['-e', PIDLOCK, folder, ...paths], { encoding: 'utf8' });
  const theirs = answer
    .trim()
    .split('\n')
    .map((word) => word === 'true');
  const named = (answers: boolean[]) => pids.map(([name], index) => `${name}: ${answers[index]}`);
  expect(named(ours)).toEqual(named(theirs));
  expect(new Set(theirs)).toEqual(new Set([true, false]));
});

const INTEGERS = `
require 'json'
puts JSON.parse(STDIN.read).map { |text| begin Integer(text) rescue nil end }.to_json
`;

test.skipIf(!hasPuppet)('rubyInteger is Kernel#Integer for all that can be a pid', () => {
  const char = fc.constantFrom(...'0179af_xXboOdD+- \n\t\v.');
  const texts = fc.sample(fc.string({ unit: char, maxLength: 7 }), 20_000);
  const theirs: (number | null)[] = JSON.parse(
    execFileSync('ruby', ['-e', INTEGERS], { input: JSON.stringify(texts), encoding: 'utf8' }),
  );
  const isPid = (value: number | null) => value !== null && value > 0 && value <= 4_194_304;
  texts.forEach((text, index) => {
    const value = theirs[index] ?? null;
    expect([text, rubyInteger(text)]).toEqual([text, isPid(value) ? value : undefined]);
  });
});
