/** DESIGN 12, discovery: whether this host is among those that a question names. */
import * as v from 'valibot';
import { meantAmong } from '../../conditions/nodeset/meant.ts';
import { KickError } from '../../errors.ts';
import { MeantSchema } from '../../protocol/discovery.ts';

/** For a regular expression. */
const PATTERN_MS = 100;

/** `meant` may be anything: whom we cannot rule out is meant, and the controller judges it again. */
export async function isMeant(meant: unknown, certname: string): Promise<'named' | 'excluded' | 'other'> {
  if (meant === undefined) return 'named';
  const parsed = v.safeParse(MeantSchema, meant);
  if (!parsed.success) return 'named';
  try {
    const { named, excluded } = await meantAmong(new Set([certname]), parsed.output, PATTERN_MS);
    if (!named.has(certname)) return 'other';
    return excluded.has(certname) ? 'excluded' : 'named';
  } catch (error) {
    if (error instanceof KickError) return 'named';
    throw error;
  }
}
