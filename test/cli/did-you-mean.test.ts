/** A misspelt command is told the one that was meant; a host's name is never taken for one. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { likelyCommand, refuseLikelyCommand } from '../../src/cli/did-you-mean.ts';
import { EMPTY_INVENTORY } from '../../src/controller/targeting/inventory.ts';
import { editsBetween } from '../../src/util/edits.ts';

test('likelyCommand is within two edits, and never a name with a dot', () => {
  expect(likelyCommand('disabel')).toBe('disable');
  expect(likelyCommand('web1.example.com')).toBeUndefined();
  expect(likelyCommand('webserver')).toBeUndefined();
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
      expect(editsBetween(a, b)).toBe(editsBetween(b, a));
      expect(editsBetween(a, a)).toBe(0);
      expect(editsBetween(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
    }),
  );
});

test.each([
  [['noop', 'web1'], 'kick --noop HOSTS'],
  [['web1', 'noop'], 'kick --noop HOSTS'],
  [['web1', 'true'], 'options take no "true"'],
  [['stop', 'web1'], 'kick jobs stop JOB'],
  [['show', 'last'], 'kick jobs show JOB'],
  [['web1', 'all'], 'kick --all'],
])('kick %j would be a run on a host that nobody means', (words, meant) => {
  expect(() => refuseLikelyCommand(words, EMPTY_INVENTORY)).toThrow(meant);
});

test('a word is a host where the inventory has it', () => {
  const certname = 'stop.example.com';
  const inventory = {
    ...EMPTY_INVENTORY,
    hosts: new Map([[certname, { certname, aliases: [], facts: {} }]]),
  };
  expect(() => refuseLikelyCommand(['stop', 'web1'], inventory)).not.toThrow();
  expect(() => refuseLikelyCommand(['web1', 'webserver'], EMPTY_INVENTORY)).not.toThrow();
});
