/**
 * What a hook was sent, so that the same delivery starts nothing twice. GitHub's and our own are known by what is signed:
 * the id of a delivery is not, and anybody could give it another. GitLab signs nothing, and is known by the id that it
 * keeps when it tries again.
 */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { HookConfig } from '../../../config/controller-config.ts';

/** Milliseconds for which deliveries are remembered. */
export const DELIVERIES_KEPT_MS = 90 * 86_400_000;

const ID_HEADERS = ['idempotency-key', 'x-gitlab-event-uuid'];

/** Undefined: it cannot be told from another. */
export function deliveryOf(
  kind: HookConfig['kind'],
  { headers, body }: { headers: IncomingHttpHeaders; body: Buffer },
): string | undefined {
  if (kind === 'github') return digest('', body);
  if (kind === 'kick') return digest(String(headers['x-kick-timestamp']), body);
  const id = ID_HEADERS.map((name) => headers[name]).find((one) => typeof one === 'string' && one !== '');
  // Hooks that one event sets off share its id.
  return id === undefined ? undefined : digest(String(id), body);
}

const digest = (id: string, body: Buffer) => createHash('sha256').update(`${id}.`).update(body).digest('hex');
