/**
 * DESIGN 12, discovery: the hosts that a question names, and leaves out, as far as a host can tell by its certname. Groups and
 * aliases are the controller's: it sends none of them.
 */
import { KickError } from '../../errors.ts';
import type { Meant } from '../../protocol/discovery.ts';
import { evaluate, type Members, type NarrowableScope } from './evaluate.ts';
import { parseExpression } from './expression.ts';
import { type MaskOptions, maskReader } from './matching.ts';

/** Names and masks that a question may mean: an agent reads it, whoever it is from. */
export const MOST_MEANT = { names: 10_000, lookups: 100 };

/** `patternMs`: what a regular expression may take, 5 s by default. Throws `KickError` for what is no such expression, or means too much. */
export async function meantAmong(
  hosts: Members,
  { named, exclude = [], domain }: Meant,
  patternMs?: number,
): Promise<{ named: Members; excluded: Members }> {
  const allowance = { ...MOST_MEANT };
  const scope = scopeOver(hosts, { domain, patternMs });
  const unionOf = async (texts: readonly string[]) => {
    const union = new Set<string>();
    for (const text of texts)
      for (const one of await evaluate(parseExpression(text, 'a question', allowance), scope)) union.add(one);
    return union;
  };
  return { named: named === undefined ? hosts : await unionOf(named), excluded: await unionOf(exclude) };
}

function scopeOver(hosts: Members, options: Omit<MaskOptions, 'masked'>): NarrowableScope {
  return {
    host: (name) => name,
    group: (name) => Promise.reject(new KickError('usage', `a question: @${name} means nothing to an agent`)),
    matching: maskReader({ ...options, masked: async () => hosts }),
    over: (fewer) => scopeOver(fewer, options),
  };
}
