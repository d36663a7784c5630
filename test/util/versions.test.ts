/** Versions in RPM's and dpkg's spelling have one order. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareVersions, isVersion } from '../../src/util/versions.ts';

/** Each before the next. */
const IN_ORDER = [
  ['5', '9', '10', '12'],
  ['12', '12.4', '12.10', '13'],
  ['9.4', '10.0', '20.04', '20.10'],
  ['5.4.0-100', '5.15.0-91-generic', '5.15.0-100-generic', '6.1.0-18-amd64'],
  ['8.0.0-alpha', '8.0.0-beta1', '8.0.0-rc1', '8.0.0-rc2', '8.0.0', '8.0.0-1'],
  ['9.0.0~rc1', '9.0.0', '9.0.0+deb12u1', '9.0.1'],
  ['9.2', '9.2p1', '9.3p1'],
  ['1.8.0_362', '1.8.0_372', '11.0.2'],
  ['4.18.0-477.el8', '4.18.0-513.el8'],
  ['20240501', '20240502', '99999999999999999998', '99999999999999999999'],
];

test.each(IN_ORDER.map((versions) => [versions] as const))('%j are in order', (versions) => {
  for (const [at, a] of versions.entries()) {
    for (const [place, b] of versions.entries()) {
      expect(Math.sign(compareVersions(a, b) ?? Number.NaN), `${a} ${b}`).toBe(Math.sign(at - place));
    }
  }
});

test('what is written otherwise may be the same', () => {
  for (const [a, b] of [
    ['12', '12.0'],
    ['12', '12.0.0'],
    ['20.04', '20.4'],
    ['v20.11.1', '20.11.1'],
    ['1.0-RC1', '1.0-rc1'],
  ] as const) {
    expect(compareVersions(a, b), `${a} ${b}`).toBe(0);
  }
});

test('other text is no version', () => {
  for (const text of [
    ...[
      '',
      'jammy',
      'trixie/sid',
      '3.84 GiB',
      '2 days',
      '10:33',
      '00:16:3e:aa:bb:cc',
      '-5',
      '1..2',
      '.5',
      '5 ',
    ],
    ...['4c4c4544-0042-3510-8052-b4c04f4d3332', 'true', '1'.repeat(201)],
  ]) {
    expect(isVersion(text), text).toBe(false);
    expect(compareVersions(text, '1'), text).toBeUndefined();
  }
});

test('the order is one, whatever versions are compared', () => {
  const number = fc.nat({ max: 30 }).map(String);
  const suffix = fc.constantFrom(
    '',
    '-1',
    '-rc1',
    '~rc2',
    '.el8',
    'p1',
    '+deb12u1',
    '-18-amd64',
    '_7',
    '+~cs1',
  );
  const version = fc
    .tuple(fc.array(number, { minLength: 1, maxLength: 4 }), suffix)
    .map(([numbers, end]) => numbers.join('.') + end);
  const order = (a: string, b: string) => Math.sign(compareVersions(a, b) ?? Number.NaN);
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      expect(order(a, a)).toBe(0);
      expect(order(a, b) + order(b, a)).toBe(0);
      if (order(a, b) <= 0 && order(b, c) <= 0) expect(order(a, c)).toBeLessThanOrEqual(0);
    }),
  );
});
