/** The gate's `npm audit`: what fails it, and what it cannot know. */
import { expect, test } from 'vitest';
import { verdictOf } from '../../scripts/audit.ts';
import { STEPS } from '../../scripts/steps.ts';

const reportOf = (...severities: string[]) =>
  JSON.stringify({
    auditReportVersion: 2,
    vulnerabilities: Object.fromEntries(
      severities.map((severity, at) => [`package${at}`, { severity, range: '<1.2.3' }]),
    ),
  });

test.each([
  [[], 0],
  [['low', 'moderate'], 0],
  [['moderate', 'high'], 1],
  [['critical'], 1],
])('vulnerabilities %j: %i', (severities, code) => {
  const verdict = verdictOf(reportOf(...severities));
  expect(verdict.code).toBe(code);
  expect(verdict.lines).toEqual(severities.map((severity, at) => `package${at} <1.2.3: ${severity}`));
});

test.each([
  [
    '{"message":"405 Method Not Allowed - POST https://npm.example.com/-/npm/v1/x","statusCode":405}',
    /: 405 Method Not Allowed$/,
  ],
  ['{"message":"request to https://npm.example.com/x failed, reason: connect ECONNREFUSED"}', /ECONNREFUSED/],
  ['', /it said nothing/],
])('a registry that cannot tell skips it, with the reason: %s', (stdout, why) => {
  const { code, lines } = verdictOf(stdout);
  expect(code).toBe(77);
  expect(lines).toEqual([expect.stringMatching(why)]);
  expect(lines[0]).not.toContain('example.com');
});

test('the gate asks the registry, and is not failed by one that cannot tell', () => {
  expect(STEPS.find(({ name }) => name === 'audit')).toMatchObject({ asksOthers: true });
});
