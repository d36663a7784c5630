/**
 * DESIGN 12, discovery, the agent's side. A question comes from a broker, so nothing of it is believed before its signature
 * and its signer's certificate are verified; then the signer is judged as whoever asks for the status is.
 */

import { messageOf } from '../../errors.ts';
import type { Trust } from '../../pki/identity.ts';
import type { ChainVerifier } from '../../pki/peer-chain.ts';
import { chainVerifier } from '../../pki/peer-chain.ts';
import { TYPES } from '../../protocol/algorithm.ts';
import { CLOCK_RULE, clockWords, isTooFar } from '../../protocol/clocks.ts';
import {
  MAX_DISCOVERY_BYTES,
  parseQuestion,
  QUESTION_LIFETIME_S,
  type Question,
  type Verdict,
} from '../../protocol/discovery.ts';
import { decodeEnvelope, verifySignature } from '../../protocol/envelope.ts';
import { Refusal } from '../../protocol/refusal.ts';
import { MAX_SKEW_S } from '../../protocol/request.ts';
import type { AgentService, Peer } from '../../transport/transport.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { quietLog } from '../../util/quiet-log.ts';
import { checkIssuer } from '../admission/checks.ts';
import { createPacer } from './pacer.ts';
import { createSeen } from './seen.ts';

/** A question of somebody who may ask. */
export interface Received {
  readonly question: Question;
  readonly peer: Peer;
  /** As it came. */
  readonly body: Uint8Array;
  /** Of this host. */
  readonly certname: string;
  /** The only answer, if one of the clocks is wrong. */
  readonly late: Verdict | undefined;
}

export interface ReceiverOptions<T> {
  trust: Trust;
  greet: AgentService['greet'];
  /** Undefined if there is nothing to say. */
  answer(received: Received): Promise<T | undefined>;
  clock: Clock;
  log: Log;
}

export interface Receiver<T> {
  setTrust(trust: Trust): void;
  /** Undefined if there is nothing to say. Never rejects. */
  receive(question: Uint8Array): Promise<T | undefined>;
}

export function createReceiver<T>({
  greet,
  answer,
  clock,
  log,
  ...options
}: ReceiverOptions<T>): Receiver<T> {
  const quiet = quietLog(log, clock, { level: 'warn' });
  const pacer = createPacer(clock);
  const seen = createSeen();
  let { trust } = options;
  let verifier = chainVerifier(trust);

  async function answerTo(body: Uint8Array): Promise<T | undefined> {
    const { question, peer } = await openQuestion(body, verifier, clock.now());
    await greet(peer);
    const late = lateness(question, clock.now());
    if (late === 'expired' || seen.has(question.jti, question.exp + MAX_SKEW_S, clock.now() / 1000))
      return undefined;
    return answer({ question, peer, body, certname: trust.certname, late });
  }

  return {
    setTrust(changed) {
      trust = changed;
      verifier = chainVerifier(changed);
    },
    async receive(body) {
      if (!pacer.begin()) return undefined;
      try {
        return await answerTo(body);
      } catch (error) {
        quiet({ what: 'discovery', detail: messageOf(error) }, 'a question that is not answered');
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
function lateness({ iat, exp }: Question, now: number): Verdict | 'expired' | undefined {
  const time = now / 1000;
  if (exp <= iat || exp - iat > QUESTION_LIFETIME_S) return 'expired';
  if (isTooFar((iat - time) * 1000))
    return { is: 'unclear', why: `${clockWords((time - iat) * 1000)}: ${CLOCK_RULE}` };
  return time > exp + MAX_SKEW_S
    ? { is: 'unclear', why: `${clockWords((time - iat) * 1000)}: ${CLOCK_RULE}` }
    : undefined;
}
