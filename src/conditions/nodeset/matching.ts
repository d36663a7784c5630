/** Which of some hosts a mask or a regular expression means. */
import { clip } from '../../util/text.ts';
import type { Members, Scope } from './evaluate.ts';

export interface MaskOptions {
  /** The hosts that masks are tried on. */
  masked(): Promise<Members>;
  /** Of short names. */
  domain?: string | undefined;
  /** Milliseconds that a regular expression may take; defaults to 5 s. */
  patternMs?: number | undefined;
}

/** Throws `KickError` `usage` for a regular expression that takes too long. */
export function maskReader({ masked, domain, patternMs }: MaskOptions): Scope['matching'] {
  return async (mask, { kind, text }) => {
    if (kind === 'pattern') {
      const { textsThatFit } = await import('../fact-patterns.ts');
      const limit = {
        what: `read the hosts of ${clip(text, 200)}`,
        ...(patternMs !== undefined && { ms: patternMs }),
      };
      return textsThatFit({ text, value: mask }, new Set(await masked()), limit);
    }
    const { globTest } = await import('./mask.ts');
    const lower = mask.toLowerCase();
    const fits = globTest(lower);
    // A short mask means the short names of our domain, as a short name does.
    const fitsShort =
      mask.includes('.') || domain === undefined ? () => false : globTest(`${lower}.${domain}`);
    return [...(await masked())].filter((name) => fits(name) || fitsShort(name));
  };
}
