import { KickError } from '../errors.ts';

export interface UnusableFile {
  /** What the file holds: `key`, `CRLs`. */
  what: string;
  path: string;
}

/** The one way in which an identity that cannot be used is reported. */
export function unusable(
  { what, path }: UnusableFile,
  why: string,
  { hint, cause }: { hint?: string; cause?: unknown } = {},
): KickError {
  return new KickError('identity', `load the ${what} "${path}": ${why}`, {
    ...(hint !== undefined && { hint }),
    ...(cause !== undefined && { cause }),
  });
}
