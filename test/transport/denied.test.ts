/** Certificates that are denied here: the listener closes on them, the sender does not believe them, and both from one moment to the next. */
import { createHash, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { parseDenyList } from '../../src/pki/deny-list.ts';
import type { DenyList, Identity } from '../../src/pki/identity.ts';
import { mirrored } from '../../src/pki/mirrored-signature.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { anySignal, failureOf, startAgent, startSender } from './support.ts';

const ca = mintCa();
const [controller, other] = [ca.controller(), ca.controller('other.example.com')];

const denying = (denied: Identity): DenyList => ({
  denies: (certificate) => (denied.chain[0]?.raw.equals(certificate) === true ? denied.certname : undefined),
});

test('a controller is shut out as soon as it is denied, and let in again afterwards', async () => {
  const identity = ca.agent();
  const { listener, target, log, calls } = await startAgent(identity);
  const ask = (as: Identity) => startSender(as).status(target, { signal: anySignal() });
  await ask(controller);
  listener.setIdentity({ ...identity, denied: denying(controller) });
  expect(await failureOf(ask(controller))).toMatchObject({ arrived: false });
  expect(log.lines.map(({ fields }) => fields['reason'])).toContain(`denied here: ${controller.certname}`);
  await ask(other);
  listener.setIdentity(identity);
  await ask(controller);
  expect(calls.filter((name) => name === 'status')).toHaveLength(3);
});

test('a fingerprint shuts out its certificate with the signature written in the other way as well', async () => {
  const identity = ca.agent();
  const raw = controller.chain[0]?.raw ?? Buffer.alloc(0);
  const twin = mirrored(raw).map((der) => new X509Certificate(der));
  const chain = twin.filter((one) => identity.ca.some(({ publicKey }) => one.verify(publicKey)));
  const { listener, target } = await startAgent(identity);
  const ask = () => startSender({ ...controller, chain }).status(target, { signal: anySignal() });
  await ask();
  const entry = `sha256:${createHash('sha256').update(raw).digest('hex')}`;
  listener.setIdentity({ ...identity, denied: parseDenyList(entry, 'load it') });
  expect(await failureOf(ask())).toMatchObject({ arrived: false });
});

test('a host that is denied is asked nothing', async () => {
  const agent = ca.agent();
  const { target, calls } = await startAgent(agent);
  const sender = startSender({ ...controller, denied: denying(agent) });
  const failure = await failureOf(sender.status(target, { signal: anySignal() }));
  expect(failure).toMatchObject({
    failure: 'certificate',
    arrived: false,
    message: `the certificate there is denied here: ${agent.certname}`,
  });
  expect(calls).not.toContain('status');
});
