/**
 * DESIGN 5: what a request must pass, in this order, each step a function of its own. Decoding comes
 * before believing: nothing is looked at that an earlier step has not made safe to look at. A step
 * that is not content throws `Refusal`: the code travels, the detail stays in the agent's log.
 */
import { commonNameOf, isPuppetAdministrator } from '../../pki/der.ts';
import { clockWords, isTooFar } from '../../protocol/clocks.ts';
import {
  checkSize,
  decodeEnvelope,
  type Envelope,
  leafOf,
  parseRequest,
  verifySignature,
} from '../../protocol/envelope.ts';
import { isCertname } from '../../protocol/names.ts';
import { Refusal } from '../../protocol/refusal.ts';
import { MAX_LIFETIME_S, MAX_SKEW_S, type Request } from '../../protocol/request.ts';
import type { Peer } from '../../transport/transport.ts';
import { type ControllerRule, objectionTo, type Policy, ruleFor } from './policy.ts';

export interface AdmissionContext {
  /** Whom requests must be for. */
  certname: string;
  policy: Policy;
  /** Milliseconds since 1970. */
  now: number;
  /**
   * Seconds since 1970: an older request may have been handled by a store that is no more
   * (DESIGN 5, "Where no store exists").
   */
  notBefore: number;
  /** Our version, for who asks for what we do not know. */
  version: string;
}

export interface Admitted {
  request: Request;
  rule: ControllerRule;
  /** The controller's clock when it asked, milliseconds since 1970, if it said. */
  sentAt: number | undefined;
}

/** The steps up to the question whether the request is known; whatever the time and the policy. */
export async function authenticate(
  body: Uint8Array,
  peer: Peer,
  context: AdmissionContext,
): Promise<Admitted> {
  checkSize(body);
  const envelope = decodeEnvelope(body);
  checkSameAsPeer(envelope, peer);
  const payload = await verifySignature(envelope, leafOf(envelope));
  const request = parseRequest(payload, context.version);
  checkIssuer(request, envelope);
  const rule = checkController(request.iss, envelope.leaf, context.policy);
  checkAudience(request, context);
  return { request, rule, sentAt: peer.time };
}

/** The steps after it: only for what would begin something new. */
export function authorize({ request, rule, sentAt }: Admitted, context: AdmissionContext): void {
  checkClocks(request, sentAt, context);
  checkTime(request, context);
  checkStore(request, context);
  checkPolicy(request, rule);
}

/** The controller at the other end, for what is only read. */
export function authenticateReader(peer: Peer, policy: Policy): string {
  const name = nameOf(peer.certificate);
  checkController(name, peer.certificate, policy);
  return name;
}

/**
 * Step 3: the leaf equals the TLS peer's certificate byte for byte, so that OpenSSL has verified
 * its chain, dates, usage and every CRL.
 */
function checkSameAsPeer(envelope: Envelope, peer: Peer): void {
  if (Buffer.compare(envelope.leaf, peer.certificate) !== 0) {
    throw new Refusal('peer-mismatch', "x5c is not the connection's certificate");
  }
}

function nameOf(certificate: Uint8Array): string {
  let name: string;
  try {
    name = commonNameOf(certificate);
  } catch (error) {
    throw new Refusal('issuer', error instanceof Error ? error.message : String(error));
  }
  if (!isCertname(name)) throw new Refusal('issuer', `"${name}" is not a certname`);
  return name;
}

function checkIssuer(request: Request, envelope: Envelope): void {
  const name = nameOf(envelope.leaf);
  if (request.iss !== name)
    throw new Refusal('issuer', `iss "${request.iss}", the certificate's CN "${name}"`);
}

function checkController(name: string, certificate: Uint8Array, policy: Policy): ControllerRule {
  const rule = ruleFor(policy, name, () => isPuppetAdministrator(certificate));
  if (rule === undefined) {
    throw new Refusal(
      'controller-not-allowed',
      `"${name}" is not in controllers: of agent.yaml` +
        (policy.trustPpCliAuth ? ' and its certificate has no pp_cli_auth' : ' (trust_pp_cli_auth is off)'),
    );
  }
  return rule;
}

function checkAudience(request: Request, { certname }: AdmissionContext): void {
  if (request.aud !== certname) throw new Refusal('audience', `aud "${request.aud}", we are "${certname}"`);
}

/**
 * Both clocks at the same moment, where the controller says its own: a request is signed when it is sent, but the same
 * bytes may come again, so that `iat` alone tells only of a clock that is ahead of ours.
 */
function checkClocks({ iat }: Request, sentAt: number | undefined, { now }: AdmissionContext): void {
  const time = Math.floor(now / 1000);
  const sent = sentAt === undefined ? Math.max(iat, time) : Math.floor(sentAt / 1000);
  for (const seconds of [sent - time, Math.max(0, iat - time)]) {
    if (isTooFar(seconds * 1000)) throw new Refusal('clock-skew', clockWords(seconds * 1000), { time });
  }
}

function checkTime({ iat, exp }: Request, { now }: AdmissionContext): void {
  const time = Math.floor(now / 1000);
  if (exp <= iat || exp - iat > MAX_LIFETIME_S) {
    throw new Refusal('expired', `a lifetime of ${exp - iat}s`, { time });
  }
  if (time > exp + MAX_SKEW_S) {
    throw new Refusal('expired', `expired ${time - exp}s ago`, { time });
  }
}

function checkStore({ iat }: Request, { notBefore, now }: AdmissionContext): void {
  if (iat < notBefore) {
    throw new Refusal('expired', 'signed before this state directory was made', {
      time: Math.floor(now / 1000),
    });
  }
}

function checkPolicy({ action }: Request, rule: ControllerRule): void {
  const objection = objectionTo(action, rule);
  if (objection !== undefined) throw new Refusal('policy', `${rule.name}: ${objection}`);
}
