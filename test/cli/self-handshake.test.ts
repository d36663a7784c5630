/** An agent that controllers would refuse says so when it starts. */
import { expect, test } from 'vitest';
import { refusedByControllers } from '../../src/cli/agent/self-handshake.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';

const NAME = 'web1.example.com';
const ca = mintCa();

test.each([
  ['its own name', { alternativeNames: [NAME] }, undefined],
  ['no name', { alternativeNames: [] }, `the certificate there does not have "${NAME}" among its DNS names`],
  [
    'another name',
    { alternativeNames: ['x'] },
    `the certificate there does not have "${NAME}" among its DNS names`,
  ],
])('a certificate with %s among its DNS names', async (_, more, why) => {
  expect(await refusedByControllers(await ca.identity(NAME, { role: 'agent', ...more }))).toBe(why);
});

test('a certificate for clients only', async () => {
  const identity = await ca.identity(NAME, { purposes: ['clientAuth'], alternativeNames: [NAME] });
  expect(await refusedByControllers(identity)).toBe(
    'the certificate there is of our CA but not for a server',
  );
});
