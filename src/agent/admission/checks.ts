/** DESIGN 5: the checks of admit.ts that need only the request, its sender and the policy. */
import { messageOf } from '../../errors.ts';
import { commonNameOf, isPuppetAdministrator } from '../../pki/der.ts';
import { clockWords, isTooFar } from '../../protocol/clocks.ts';
import type { Envelope } from '../../protocol/envelope.ts';
import { isCertname } from '../../protocol/names.ts';
import { Refusal } from '../../protocol/refusal.ts';
import { MAX_LIFETIME_S, MAX_SKEW_S, type Request } from '../../protocol/request.ts';
import type { Peer } from '../../transport/transport.ts';
import { type ControllerRule, objectionTo, type Policy, ruleFor } from './policy.ts';

export interface AdmissionContext {
  /** The certname that requests must be addressed to. */
  certname: string;
  policy: Policy;
  /** Verifies a leaf and what stands behind it (DER); throws `Refusal`. Absent where the transport's verdict counts. */
  verify?: ((chain: readonly Uint8Array[]) => void) | undefined;
  /** Milliseconds since 1970. */
  now: number;
  /**
   * Seconds since 1970. An older request may have been handled already, by an agent whose state directory is
   * lost (DESIGN 5, "Where no store exists").
   */
  notBefore: number;
  /** Our version, reported when an option is not supported. */
  version: string;
}

/** Returns the certname of the controller at the other end, for questions that need no signed request. */
export function checkReader(peer: Peer, here: Pick<AdmissionContext, 'policy' | 'verify'>): string {
  here.verify?.([peer.certificate]);
  const name = nameOf(peer.certificate);
  checkController(name, peer.certificate, here.policy);
  return name;
}

/** Whether a certificate that the transport has verified is a controller's. */
export function isController(certificate: Uint8Array, policy: Policy): boolean {
  try {
    return ruleFor(policy, commonNameOf(certificate), () => isPuppetAdministrator(certificate)) !== undefined;
  } catch {
    return false; // no common name, or two
  }
}

/**
 * The leaf equals the TLS peer's certificate byte for byte, so OpenSSL has verified its chain, dates,
 * usage and every CRL.
 */
export function checkSameAsPeer(envelope: Envelope, peer: Peer): void {
  if (Buffer.compare(envelope.leaf, peer.certificate) !== 0) {
    throw new Refusal('peer-mismatch', "x5c is not the connection's certificate");
  }
}

/** Where that verdict is somebody's word only: the same, of the request's own certificates. */
export function checkChain({ leaf, intermediates }: Envelope, { verify }: AdmissionContext): void {
  verify?.([leaf, ...intermediates]);
}

function nameOf(certificate: Uint8Array): string {
  let name: string;
  try {
    name = commonNameOf(certificate);
  } catch (error) {
    throw new Refusal('issuer', messageOf(error));
  }
  if (!isCertname(name)) throw new Refusal('issuer', `"${name}" is not a certname`);
  return name;
}

export function checkIssuer(request: Pick<Request, 'iss'>, envelope: Envelope): void {
  const name = nameOf(envelope.leaf);
  if (request.iss !== name)
    throw new Refusal('issuer', `iss "${request.iss}", the certificate's CN "${name}"`);
}

export function checkController(name: string, certificate: Uint8Array, policy: Policy): ControllerRule {
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

export function checkAudience(request: Request, { certname }: AdmissionContext): void {
  if (request.aud !== certname) throw new Refusal('audience', `aud "${request.aud}", we are "${certname}"`);
}

/**
 * If the controller sent its time, both clocks are compared at the same moment. The same bytes may be sent again later,
 * so `iat` alone only reveals a clock that is ahead of ours.
 */
export function checkClocks({ iat }: Request, { time: sentAt }: Peer, { now }: AdmissionContext): void {
  const time = Math.floor(now / 1000);
  const sent = sentAt === undefined ? Math.max(iat, time) : Math.floor(sentAt / 1000);
  for (const seconds of [sent - time, Math.max(0, iat - time)]) {
    if (isTooFar(seconds * 1000)) throw new Refusal('clock-skew', clockWords(seconds * 1000), { time });
  }
}

export function checkTime({ iat, exp }: Request, { now }: AdmissionContext): void {
  const time = Math.floor(now / 1000);
  if (exp <= iat || exp - iat > MAX_LIFETIME_S) {
    throw new Refusal('expired', `a lifetime of ${exp - iat}s`, { time });
  }
  if (time > exp + MAX_SKEW_S) {
    throw new Refusal('expired', `expired ${time - exp}s ago`, { time });
  }
}

export function checkStore({ iat }: Request, { notBefore, now }: AdmissionContext): void {
  if (iat < notBefore) {
    throw new Refusal('expired', 'signed before this state directory was made', {
      time: Math.floor(now / 1000),
    });
  }
}

export function checkPolicy({ action }: Request, rule: ControllerRule): void {
  const objection = objectionTo(action, rule);
  if (objection !== undefined) throw new Refusal('policy', `${rule.name}: ${objection}`);
}
