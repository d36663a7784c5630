/**
 * DESIGN 12, discovery, the agent's side. A question comes from a broker, so nothing of it is believed before its signature
 * and its signer's certificate are verified; then the signer is judged as whoever asks for the status is.
 */

import type { Identity } from '../../pki/identity.ts';
import type { ChainVerifier } from '../../pki/peer-chain.ts';
import { chainVerifier } from '../../pki/peer-chain.ts';
import { TYPES } from '../../protocol/algorithm.ts';
import { CLOCK_RULE, clockWords, isTooFar } from '../../protocol/clocks.ts';
import {
  type Answer,
  MAX_DISCOVERY_BYTES,
  parseQuestion,
  QUESTION_LIFETIME_S,
  type Question,
} from '../../protocol/discovery.ts';
import { decodeEnvelope, verifySignature } from '../../protocol/envelope.ts';
import { Refusal } from '../../protocol/refusal.ts';
import { MAX_SKEW_S } from '../../protocol/request.ts';
import { sealAs } from '../../protocol/seal.ts';
import type { AgentService, Peer } from '../../transport/transport.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { quietLog } from '../../util/quiet-log.ts';
import { checkIssuer } from '../admission/checks.ts';
import { isMeant } from './is-meant.ts';
import { type FactsFound, type HostVerdict, judgeHost } from './judge-host.ts';
import { createPacer } from './pacer.ts';
import { createSeen } from './seen.ts';

export interface AnsweringOptions {
  identity: Identity;
  service: Pick<AgentService, 'greet' | 'status'>;
  facts(): Promise<FactsFound>;
  /** Our version. */
  version: string;
  clock: Clock;
  log: Log;
}

export interface Answering {
  setIdentity(identity: Identity): void;
  /** Undefined if there is nothing to say. Never rejects. */
  answer(
    question: Uint8Array,
  ): Promise<{ controller: string; session: string; body: Uint8Array } | undefined>;
}

export function createAnswering(options: AnsweringOptions): Answering {
  const { service, facts, version, clock, log } = options;
  const quiet = quietLog(log, clock, { level: 'warn' });
  const pacer = createPacer(clock);
  const seen = createSeen();
  let { identity } = options;
  let verifier = chainVerifier(identity);

  async function answerTo(body: Uint8Array): ReturnType<Answering['answer']> {
    const { question, peer } = await openQuestion(body, verifier, clock.now());
    await service.greet(peer);
    const late = lateness(question, clock.now());
    if (late === 'expired' || seen.has(question.jti, question.exp + MAX_SKEW_S, clock.now() / 1000))
      return undefined;
    const { certname, key, chain } = identity;
    const role = await isMeant(question.meant, certname);
    if (role === 'other') return undefined;
    const status: Parameters<typeof judgeHost>[1]['status'] = (asked) => service.status(peer, asked);
    const judged = async (): Promise<HostVerdict> =>
      role === 'excluded' ? { is: 'no' } : judgeHost(question.asks, { facts, version, status });
    const verdict = late ?? (await judged());
    // One that is excluded is there all the same: an exclusion of nobody is most likely a typo.
    if (verdict.is === 'no' && question.all !== true && role === 'named') return undefined;
    const answer: Answer = { v: 1, question: question.jti, iss: certname, ...verdict };
    const sealed = await sealAs(TYPES.answer, answer, { key, chain });
    return { controller: question.iss, session: question.session, body: sealed };
  }

  return {
    setIdentity(changed) {
      identity = changed;
      verifier = chainVerifier(changed);
    },
    async answer(body) {
      if (!pacer.begin()) return undefined;
      try {
        return await answerTo(body);
      } catch (error) {
        const detail = error instanceof Error ? error.message : String(error);
        quiet({ what: 'discovery', detail }, 'a question that is not answered');
        return undefined;
      } finally {
        pacer.end();
      }
    },
  };
}

/** Every check up to the policy. Throws `Refusal` or `ChainError`. */
async function openQuestion(
  body: Uint8Array,
  verifier: ChainVerifier,
  now: number,
): Promise<{ question: Question; peer: Peer }> {
  if (body.byteLength > MAX_DISCOVERY_BYTES) throw new Refusal('too-large', `${body.byteLength} bytes`);
  const envelope = decodeEnvelope(body, TYPES.question);
  const { leaf, intermediates } = envelope;
  const signer = verifier.verify([leaf, ...intermediates], { now, use: 'clientAuth' });
  const question = parseQuestion(await verifySignature(envelope, signer));
  checkIssuer(question, envelope);
  return { question, peer: { certificate: leaf, address: `nats:${question.iss}` } };
}

/** A clock that is wrong is told, since nothing else would say why nobody answers. */
function lateness({ iat, exp }: Question, now: number): HostVerdict | 'expired' | undefined {
  const time = now / 1000;
  if (exp <= iat || exp - iat > QUESTION_LIFETIME_S) return 'expired';
  if (isTooFar((iat - time) * 1000))
    return { is: 'unclear', why: `${clockWords((time - iat) * 1000)}: ${CLOCK_RULE}` };
  return time > exp + MAX_SKEW_S
    ? { is: 'unclear', why: `${clockWords((time - iat) * 1000)}: ${CLOCK_RULE}` }
    : undefined;
}
