/**
 * DESIGN 5: every check that a request must pass, in this order. Nothing is used before an earlier check
 * has made it safe to use. A failing check throws `Refusal`: the code is sent, the detail stays in the
 * agent's log.
 */
import { checkSize, decodeEnvelope, leafOf, parseRequest, verifySignature } from '../../protocol/envelope.ts';
import { type Action, describeBy, type Request } from '../../protocol/request.ts';
import type { Peer } from '../../transport/transport.ts';
import {
  type AdmissionContext,
  checkAudience,
  checkChain,
  checkClocks,
  checkController,
  checkIssuer,
  checkPolicy,
  checkSameAsPeer,
  checkStore,
  checkTime,
} from './checks.ts';

/** One kind of request: run requests have a key and a queue, commands have neither. */
export interface AdmitFor<A extends Action> {
  /** Throws `Refusal` for an operation of another kind. */
  checkOperation(request: Request): Request & { action: A };
  /** Whether the same request was accepted before; it is then answered with what became of it. */
  isKnown(request: Request & { action: A }): Promise<boolean>;
  /** Throws `Refusal` for options that this host's runner does not support. */
  checkOptions(request: Request & { action: A }): void;
  /** Throws `Refusal` if the queue or a disk is full. */
  checkRoom(request: Request & { action: A }): Promise<void>;
}

export interface AdmitDeps {
  /** Called twice, since time passes between the checks. Throws `Refusal` `stopping`. */
  context(): AdmissionContext;
  /** Adds fields to the audit line of a refusal. */
  note(fields: object): void;
}

export interface Admitted<A extends Action> {
  request: Request & { action: A };
  isKnown: boolean;
}

/** Returns the request if it passes every check or is known already. Throws `Refusal`. */
export async function admit<A extends Action>(
  { body, peer }: { body: Uint8Array; peer: Peer },
  { checkOperation, isKnown, checkOptions, checkRoom }: AdmitFor<A>,
  { context, note }: AdmitDeps,
): Promise<Admitted<A>> {
  const here = context();
  checkSize(body);
  const envelope = decodeEnvelope(body); // strict base64url and UTF-8, header keys
  checkSameAsPeer(envelope, peer);
  checkChain(envelope, here);
  const payload = await verifySignature(envelope, leafOf(envelope));
  const parsed = parseRequest(payload, here.version);
  checkIssuer(parsed, envelope);
  const rule = checkController(parsed.iss, envelope.leaf, here.policy);
  checkAudience(parsed, here);
  note(signerOf(parsed));
  const request = checkOperation(parsed);
  // A known request is answered whatever the time and the policy.
  if (await isKnown(request)) return { request, isKnown: true };
  const now = context();
  checkClocks(request, peer, now);
  checkTime(request, now);
  checkStore(request, now);
  checkPolicy(request, rule);
  checkOptions(request);
  await checkRoom(request);
  return { request, isKnown: false };
}

/** Who signed a request and what for, in the fields of the audit log. */
export function signerOf({ iss, job, attempt, action, by }: Request): object {
  return { controller: iss, job, attempt, op: action.op, by: describeBy(by), reason: by.reason };
}
