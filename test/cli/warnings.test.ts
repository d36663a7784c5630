/** What kick says beside a run that it does start, and what to type instead. */
import { expect, test } from 'vitest';
import { realSite } from '../support/real-site.ts';

test('a canary of all hosts is none, and that is said before they start', async () => {
  const site = await realSite(2, () => 'exit 0');
  const warning = '--canary 5: there are only 2 hosts, and all of them start at once';
  expect(await site.kick('@all', '--canary', '5')).toMatchObject({
    ...{ code: 0, err: expect.stringContaining(warning) },
  });
  for (const words of [
    ['@all', '--canary', '1'],
    ['web1', '--canary', '1'],
  ])
    expect((await site.kick(...words)).err).not.toContain('--canary');
});

test('a certname in upper case is refused with the one to type', async () => {
  const site = await realSite(1, () => 'exit 0');
  expect(await site.kick('web1', '--certname', 'PUPPET.example.com')).toMatchObject({
    code: 2,
    err: expect.stringContaining('hint: certnames are in lower case: --certname puppet.example.com'),
  });
});
