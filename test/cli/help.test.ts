/** `kick help` as it is typed. */
import { expect, test } from 'vitest';
import { kickNow } from '../support/kick.ts';
import { kickHere } from '../support/kick-here.ts';

const kick = (...words: string[]) => kickHere(words);

test('a topic, a command and a command of a command are explained', async () => {
  expect(await kick('help', 'rollout')).toMatchObject({
    code: 0,
    out: expect.stringContaining('--canary N'),
  });
  expect((await kick('help', 'jobs', 'show')).out).toMatch(/^Usage: kick jobs show /);
  expect(await kick('help')).toEqual({ ...(await kick('--help')), code: 0 });
});

test('what is neither is exit code 2, and the hint names the topics', async () => {
  const { code, out, err } = await kick('help', 'nosuch');
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(/"nosuch"[\s\S]*outcomes, hosts, rollout, exit-codes, cron/);
  expect((await kick('help', 'rollout', 'more')).code).toBe(2);
});

test('--help shows examples, --version a version', async () => {
  for (const words of [
    ['--help'],
    ['run', '--help'],
    ['ping', '--help'],
    ['agent', '--help'],
    ['pki', '--help'],
    ['demo', '--help'],
  ]) {
    // `kick agent` has a way of its own into the program (bin.ts).
    const { code, out } = words[0] === 'agent' ? kickNow(words) : await kick(...words);
    expect(out, words.join(' ')).toContain('Examples:');
    expect(code).toBe(0);
  }
  expect(kickNow(['--version']).out).toMatch(/^\d+\.\d+\.\d+\n$/);
});
