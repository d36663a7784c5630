/** Certnames with anything in them that Puppet allows: quoted in expressions, and folded so that they are read again. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evaluate } from '../../src/conditions/nodeset/evaluate.ts';
import { parseExpression } from '../../src/conditions/nodeset/expression.ts';
import { foldNames } from '../../src/conditions/nodeset/fold.ts';
import { isCertname } from '../../src/protocol/names.ts';
import { choose, databaseOf, namesOf } from './choosing.ts';

const scope = {
  host: (name: string) => name,
  group: () => Promise.reject(new Error('no group')),
  matching: () => Promise.reject(new Error('no mask')),
};

const certname = fc.stringMatching(/^[ -.0-@[-~]{1,12}$/).filter(isCertname);

test('whatever certnames are folded, the expression means them again', async () => {
  const plain = fc.stringMatching(/^[a-z0-9@.-]{1,6}$/).filter(isCertname);
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.oneof(certname, plain), { maxLength: 8 }), async (names) => {
      const folded = foldNames(names);
      expect([...(await evaluate(parseExpression(folded, 'x'), scope))].sort()).toEqual([...names].sort());
    }),
  );
});

test('odd names are quoted, @ within a name is not odd', async () => {
  expect(foldNames(['backup@nas1.x', 'backup@nas2.x', 'a b', 'w"\\', 'web1'])).toBe(
    'backup@nas[1-2].x,web1,"a b","w\\"\\\\"',
  );
  expect(await namesOf(['backup@nas', '"odd (one)"', 'web1!web1,"a,b"'])).toEqual([
    'backup@nas.example.com',
    'odd (one)',
    'a,b',
  ]);
  expect(await namesOf(['web[1-2],"a,b"!"a,b"'])).toHaveLength(2);
});

test.each<[string, number, RegExp]>([
  ['"a b', 1, /the quote is not closed/],
  ['x,"a b"c', 8, /a name goes on behind its quotes/],
  ['x "a/b"', 3, /"a\/b" is not a certname/],
  ['"Web1"', 1, /"Web1" is not a certname/],
  ['".."', 1, /"\.\." is not a certname/],
  ['""', 1, /"" is not a certname/],
  ['a(b', 2, /"\(" cannot be in a certname without quotes/],
  ['web1:22', 5, /a certname has no port: leave out ":22"/],
  ['a/b', 2, /"\/" cannot be in a certname, see/],
  ['aü', 2, /"ü" cannot be in a certname, see/],
])('%s is refused at column %i', async (text, column, why) => {
  await expect(choose([text])).rejects.toThrow(why);
  await expect(choose([text])).rejects.toThrow(`see column ${column}\n`);
});

test('no name leads out of a folder', () => {
  for (const name of ['', '.', '..', '/', 'a/b', '../x', 'a\0b', 'a\nb', 'a\n', 'A', 'ü', 'x'.repeat(254)])
    expect(isCertname(name), JSON.stringify(name)).toBe(false);
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 6 }), (text) => {
      // lib/puppet/ssl/base.rb VALID_CERTNAME; \Z there lets a line end pass.
      const puppets = /^[ -.0-~]+$/.test(text) && text === text.toLowerCase();
      expect(isCertname(text)).toBe(puppets && text !== '.' && text !== '..');
    }),
  );
});

test("PuppetDB's names are taken as they are, not as expressions", async () => {
  const names = ['@all', 'web[1-2]', 'a,b', '-x', 'backup@nas.example.com'];
  const sources = databaseOf({ active: async () => names });
  expect(await namesOf([], { all: true }, { sources, inventory: {} })).toEqual(names);
});
