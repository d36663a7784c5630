/** Bodies of requests whose sender is only known once they have been read: few at a time, and each within seconds. */
import type { Request } from 'express';
import { addressGroup } from '../../../util/address-group.ts';
import { createShares } from '../../../util/shares.ts';
import { ApiProblem } from '../../api/problem.ts';
import { bodyBytes } from './input.ts';

/** At once: of all, and of one host. */
const MAX_BODIES = 64;
const MAX_OF_ADDRESS = 8;

const WITHIN_MS = 10_000;

/** What it returns reads a body. Throws `ApiProblem`. */
export function openBodies(withinMs = WITHIN_MS): (request: Request) => Promise<Buffer> {
  const [all, each] = [createShares(MAX_BODIES), createShares(MAX_OF_ADDRESS)];
  const isFull = () => new ApiProblem('unavailable', 'too many requests are under way', { retryAfter: 10 });
  return async (request) => {
    const group = addressGroup(request.socket.remoteAddress ?? '');
    if (!each.take(group)) throw isFull();
    try {
      if (!all.take('')) throw isFull();
      return await bodyBytes(request, { withinMs }).finally(() => all.giveBack(''));
    } finally {
      each.giveBack(group);
    }
  };
}
