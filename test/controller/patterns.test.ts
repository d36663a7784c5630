/** `/regex/` as hosts, as with `mco -I`: among known hosts, in bounded time, with the column of what is wrong. */
import { expect, test } from 'vitest';
import { choose, excluding, namesOf, warnings } from './choosing.ts';

const [WEB1, WEB2, WEB10] = ['web1.example.com', 'web2.example.com', 'web10.example.com'];

test.each<[string, string[]]>([
  ['/^web/', [WEB1, WEB2, WEB10]],
  ['/^web\\d\\./', [WEB1, WEB2]],
  ['/^web/!/10/', [WEB1, WEB2]],
  ['db,/^web[2-9]{1,2}\\./', ['db1.elsewhere.org', WEB2]],
  ['/elsewhere|web10/&@web', [WEB10]],
  ['/^web1\\./ /^web2/', [WEB1, WEB2]],
])('%s', async (text, hosts) => {
  expect(await namesOf([text])).toEqual(hosts);
});

test('in --exclude and in groups as well; one that fits nobody excludes nobody, and it is said', async () => {
  expect(await namesOf(['@web'], excluding('/^web\\d{2}/'))).toEqual([WEB1, WEB2]);
  expect(await namesOf(['@web'], excluding('/^nobody/'))).toHaveLength(3);
  expect(warnings).toEqual(['--exclude /^nobody/: no such host among the chosen']);
  const inventory = { targets: [WEB1, WEB10], groups: [{ name: 'two', nodes: '/\\d\\d/' }] };
  expect(await namesOf(['@two'], {}, { inventory })).toEqual([WEB10]);
  await expect(choose(['/^nobody/'])).rejects.toThrow(/nobody is named by argument 1/);
});

test.each<[string, RegExp]>([
  ['/^web', /the regular expression is not closed by "\/", see column 1/],
  ['web1,//', /the regular expression is empty.*see column 6/],
  ['/web/x', /goes on behind its "\/", see column 6/],
  ['/(/', /Invalid regular expression.*see column 1/s],
  [`/${'a'.repeat(501)}/`, /longer than 500 characters/],
])('%s is refused', async (text, message) => {
  await expect(choose([text])).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringMatching(message),
  });
});

test('one that takes exponential time is ended', async () => {
  const inventory = { targets: [`${'a'.repeat(60)}.example.com`] };
  await expect(choose(['/^(a+)+$/'], {}, { inventory })).rejects.toThrow(
    /read the hosts of \/\^\(a\+\)\+\$\/: try the regular expression: it takes more than 5 s/,
  );
});
