/** Text for people: wrapped in a terminal, as it is in a pipe. */
import { expect, test } from 'vitest';
import { print } from '../../src/cli/print.ts';

const line = 'web1.example.com  idle  the latest run has failed 3 hours ago\n';

test.each([
  [undefined, line],
  [80, line],
  [60, 'web1.example.com  idle  the latest run has failed 3 hours\n                        ago\n'],
  [30, 'web1.example.com  idle  the\n  latest run has failed 3\n  hours ago\n'],
])('in a terminal of %s columns', (columns, expected) => {
  let text = '';
  print({ out: (piece) => (text += piece), outColumns: () => columns }, line);
  expect(text).toBe(expected);
});
