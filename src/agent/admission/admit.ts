/**
 * DESIGN 5: everything that a request must pass, in this order. Decoding comes before believing: nothing
 * is looked at until an earlier check has made it safe to look at. A check that fails throws `Refusal`:
 * its code is sent, its detail stays in the agent's log.
 */
import { checkSize, decodeEnvelope, leafOf, parseRequest, verifySignature } from '../../protocol/envelope.ts';
import { type Action, describeBy, type Request } from '../../protocol/request.ts';
import type { Peer } from '../../transport/transport.ts';
import {
  type AdmissionContext,
  checkAudience,
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
  /** Throws `Refusal` for an operation that belongs elsewhere. */
  checkOperation(request: Request): Request & { action: A };
  /** Whether the same request was accepted before: it is answered with what became of it. */
  isKnown(request: Request & { action: A }): Promise<boolean>;
  /** Whether this host can do it now. */
  checkQueue(request: Request & { action: A }): Promise<void>;
}

export interface AdmitDeps {
  /** Read twice, since time passes in between. Throws `Refusal` `stopping`. */
  context(): AdmissionContext;
  /** Adds fields to the audit line of a refusal. */
  note(fields: object): void;
}

export interface Admitted<A extends Action> {
  request: Request & { action: A };
  isKnown: boolean;
}

/** Returns the request once it has passed every check, or has been found to be known. Throws `Refusal`. */
export async function admit<A extends Action>(
  { body, peer }: { body: Uint8Array; peer: Peer },
  { checkOperation, isKnown, checkQueue }: AdmitFor<A>,
  { context, note }: AdmitDeps,
): Promise<Admitted<A>> {
  const here = context();
  checkSize(body);
  const envelope = decodeEnvelope(body); // strict base64url and UTF-8, header keys
  checkSameAsPeer(envelope, peer);
  const payload = await verifySignature(envelope, leafOf(envelope));
  const parsed = parseRequest(payload, here.version);
  checkIssuer(parsed, envelope);
  const rule = checkController(parsed.iss, envelope.leaf, here.policy);
  checkAudience(parsed, here);
  note(signerOf(parsed));
  const request = checkOperation(parsed);
  // Answered here, whatever the time and the policy.
  if (await isKnown(request)) return { request, isKnown: true };
  const now = context();
  checkClocks(request, peer.time, now);
  checkTime(request, now);
  checkStore(request, now);
  checkPolicy(request, rule);
  await checkQueue(request);
  return { request, isKnown: false };
}

/** Who signed a request and what for, as the audit log has it. */
export function signerOf({ iss, job, attempt, action, by }: Request): object {
  return { controller: iss, job, attempt, op: action.op, by: describeBy(by), reason: by.reason };
}
