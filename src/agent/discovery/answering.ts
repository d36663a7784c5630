/** DESIGN 12, discovery: what this host says to questions, signed with its key. */
import type { Identity } from '../../pki/identity.ts';
import { TYPES } from '../../protocol/algorithm.ts';
import type { Answer, Verdict } from '../../protocol/discovery.ts';
import { sealAs } from '../../protocol/seal.ts';
import { createReceiver, type Received, type ReceiverOptions } from './receive-questions.ts';

export interface AnsweringOptions extends Omit<ReceiverOptions<never>, 'trust' | 'answer'> {
  identity: Identity;
  /** Undefined if there is nothing to say. */
  verdictOn(received: Received): Promise<Verdict | undefined>;
}

export interface SealedAnswer {
  /** Who has asked, by certname, and on which connection. */
  controller: string;
  session: string;
  body: Uint8Array;
}

export interface Answering {
  setIdentity(identity: Identity): void;
  /** Undefined if there is nothing to say. Never rejects. */
  answer(question: Uint8Array): Promise<SealedAnswer | undefined>;
}

export function createAnswering({ verdictOn, ...options }: AnsweringOptions): Answering {
  let { identity } = options;
  const receiver = createReceiver<SealedAnswer>({
    ...options,
    trust: identity,
    async answer(received) {
      const verdict = await verdictOn(received);
      return verdict && signed(verdict, received, identity);
    },
  });
  return {
    setIdentity(changed) {
      identity = changed;
      receiver.setTrust(changed);
    },
    answer: receiver.receive,
  };
}

async function signed(
  verdict: Verdict,
  { question: { jti, iss: controller, session } }: Received,
  { certname, key, chain }: Identity,
): Promise<SealedAnswer> {
  const answer: Answer = { v: 1, question: jti, iss: certname, ...verdict };
  return { controller, session, body: await sealAs(TYPES.answer, answer, { key, chain }) };
}
