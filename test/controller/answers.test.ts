/** DESIGN 12, discovery, on the controller: only what a host has signed about this question counts. */
import { expect, test } from 'vitest';
import { type AnswerLimits, createAnswers } from '../../src/controller/fleet/answers.ts';
import type { Identity } from '../../src/pki/identity.ts';
import { chainVerifier } from '../../src/pki/peer-chain.ts';
import { TYPES, type Type } from '../../src/protocol/algorithm.ts';
import { sealAs } from '../../src/protocol/seal.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';

const QUESTION = '01890a5d-ac96-774b-bcce-b302099a8057';
const OTHER = '01890a5d-ac96-774b-bcce-b302099a8058';
const ca = mintCa();
const web1 = ca.agent('web1.example.com');

const said = (by: Identity, more: object = {}, typ: Type = TYPES.answer) =>
  sealAs(typ, { v: 1, question: QUESTION, iss: by.certname, is: 'yes', ...more }, by);

async function counted(
  messages: (readonly [certname: string, body: Uint8Array])[],
  { trust = ca.controller(), limits }: { trust?: Identity; limits?: AnswerLimits } = {},
) {
  const answers = createAnswers({
    ...{ question: QUESTION, verifier: chainVerifier(trust), now: Date.now },
    ...(limits !== undefined && { limits }),
  });
  for (const [certname, body] of messages) answers.take(certname, body, 5);
  await answers.idle();
  expect(answers.isIdle()).toBe(true);
  return {
    hosts: [...answers.hosts.keys()],
    ignored: answers.ignored,
    first: answers.hosts.get('web1.example.com'),
  };
}

test('a host answers once', async () => {
  const body = await said(web1, { is: 'unclear', why: 'so' });
  expect(
    await counted([
      ['web1.example.com', body],
      ['web1.example.com', body],
    ]),
  ).toEqual({
    hosts: ['web1.example.com'],
    ignored: { forged: 0, repeated: 1, tooMany: 0 },
    first: { certname: 'web1.example.com', is: 'unclear', why: 'so', latencyMs: 5 },
  });
});

test('nothing that a broker, another host or another CA makes up counts', async () => {
  const other = mintCa().agent('web1.example.com');
  const web2 = ca.agent('web2.example.com');
  const good = await said(web1);
  const changed = Buffer.from(good.toString().replace(/"payload":"./, '"payload":"f'));
  const forged: [string, Uint8Array][] = [
    ['web1.example.com', await said(other)],
    ['web1.example.com', await said(web2)],
    ['web1.example.com', await said(web2, { iss: 'web1.example.com' })],
    ['web1.example.com', await said(web1, { iss: 'web2.example.com' })],
    ['web1.example.com', await said(web1, { question: OTHER })],
    ['web1.example.com', await said(web1, {}, TYPES.request)],
    ['web1.example.com', changed],
    ['web2.example.com', good],
    ['WEB2', good],
    ['web3.example.com', Buffer.from('{}')],
    ['web3.example.com', Buffer.alloc(40_000)],
    ['web3.example.com', Buffer.alloc(0)],
  ];
  const { hosts, ignored } = await counted(forged);
  expect(hosts).toEqual([]);
  expect(ignored).toEqual({ forged: forged.length, repeated: 0, tooMany: 0 });
});

test('a forged answer does not keep the real one out, and many are not looked at', async () => {
  const forged: [string, Uint8Array] = ['web1.example.com', Buffer.from('{}')];
  expect(await counted([forged, ['web1.example.com', await said(web1)]])).toMatchObject({
    hosts: ['web1.example.com'],
    ignored: { forged: 1 },
  });
  const { ignored } = await counted(Array(1000).fill(forged));
  expect(ignored).toEqual({ forged: 8, repeated: 0, tooMany: 992 });
});

test('an agent whose certificate is revoked does not answer', async () => {
  const revoking = mintCa();
  const gone = revoking.agent('web1.example.com');
  const body = await said(gone);
  expect((await counted([['web1.example.com', body]], { trust: revoking.controller() })).hosts).toHaveLength(
    1,
  );
  revoking.revoke(gone);
  expect((await counted([['web1.example.com', body]], { trust: revoking.controller() })).hosts).toEqual([]);
});

test('what is taken is bounded in number and size', async () => {
  const messages: [string, Uint8Array][] = [];
  for (const name of ['a', 'b', 'c'])
    messages.push([`${name}.example.com`, await said(ca.agent(`${name}.example.com`))]);
  const few = await counted(messages, { limits: { count: 2, bytes: 1e6 } });
  expect(few.hosts.sort()).toEqual(['a.example.com', 'b.example.com']); // verified on several threads
  expect(few.ignored).toMatchObject({ tooMany: 1 });
  const small = await counted(messages, { limits: { count: 10, bytes: 2000 } });
  expect(small).toMatchObject({ hosts: ['a.example.com'], ignored: { tooMany: 2 } });
});
