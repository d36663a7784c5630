/** The gate's steps. */
import { existsSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { STEPS } from '../../scripts/steps.ts';

const commandOf = (name: string) => STEPS.find((step) => step.name === name)?.command ?? [];

test('each test file against real Puppet is in one of two steps', () => {
  const left = commandOf('puppet')
    .filter((word) => word.startsWith('--exclude='))
    .map((word) => word.slice('--exclude='.length));
  expect(left.length).toBeGreaterThan(0);
  expect(left.filter((file) => !existsSync(file))).toEqual([]);
  expect(commandOf('puppet-long').slice(4)).toEqual(left);
  const all = readdirSync('test/puppet').filter((name) => name.endsWith('.test.ts'));
  expect(left.length).toBeLessThan(all.length);
});
