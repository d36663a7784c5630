/**
 * Patterns that took quadratic time: each would take minutes for what is tried here, which is as long as a test may take. The
 * longest word of a command line, which any user may choose, has 128 kB.
 */
import { expect, test } from 'vitest';
import { isDaemon, textRunsPuppet } from '../../src/agent/doctor/puppet-commands.ts';
import { createProperties } from '../../src/agent/puppet/report-properties.ts';

const MANY = 500_000;

test("a stranger's process with a long word among the options of puppet agent", () => {
  expect(isDaemon(['puppet', 'agent', `-${'t'.repeat(MANY)}!`])).toBe(true);
  expect(isDaemon(['puppet', 'agent', `-${'v'.repeat(MANY)}t`])).toBe(false);
  expect(['-tv', '-vt', '-t', '--test'].filter((word) => isDaemon(['puppet', 'agent', word]))).toEqual([]);
});

test('a crontab with a word of quotes', () => {
  expect(textRunsPuppet(`* * * * * x${'"'.repeat(MANY)}x puppet agent -t`)).toBe(true);
  expect(textRunsPuppet(`* * * * * "puppet" 'agent' "-t"`)).toBe(true);
});

test.each([
  ['  a: !x &y', '  a: !x &y'],
  ['  a:', '  a:'],
  ['  a: !x:y', '  a: !x:y'],
  ['  a: b', '  a: b\n  - m'],
  [`  a${': !'.repeat(9000)} x`, `  a${': !'.repeat(9000)} x\n  - m`],
])('a property of a report that is cut off: %#', (first, left) => {
  const properties = createProperties({ maxLength: first.length + 6, maxCount: 1 });
  properties.begin(first);
  properties.add('  - more');
  expect(properties.take()).toEqual([left]);
});
