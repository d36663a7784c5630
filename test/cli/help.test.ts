/** `kick help` as it is typed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { KICK } from '../support/build.ts';

const [node = '', ...args] = KICK;
const kick = (...words: string[]) => spawnSync(node, [...args, ...words], { encoding: 'utf8' });

test('a topic, a command and a command of a command are explained', () => {
  expect(kick('help', 'rollout')).toMatchObject({ status: 0, stdout: expect.stringContaining('--canary N') });
  expect(kick('help', 'jobs', 'show').stdout).toMatch(/^Usage: kick jobs show /);
  expect(kick('help').stdout).toBe(execFileSync(node, [...args, '--help'], { encoding: 'utf8' }));
});

test('what is neither is exit code 2, and the hint names the topics', () => {
  const { status, stdout, stderr } = kick('help', 'nosuch');
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(/"nosuch"[\s\S]*outcomes, hosts, rollout, exit-codes, cron/);
  expect(kick('help', 'rollout', 'more').status).toBe(2);
});
