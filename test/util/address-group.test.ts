/** Which addresses count as one host: an IPv6 network of 64 bits, and IPv4 however it is written. */
import { expect, test } from 'vitest';
import { addressGroup, plainAddress } from '../../src/util/address-group.ts';

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::6', '2001:db8:1:2'],
  ['2001:db8::6', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
])('addressGroup of %s is %s', (address, group) => {
  expect(addressGroup(address)).toBe(group);
});

test('plainAddress leaves IPv6 as it is', () => {
  expect(plainAddress('2001:db8::ffff:1')).toBe('2001:db8::ffff:1');
});
