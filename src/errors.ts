/** What a `KickError` is about; scripts and tests rely on these words. */
export type ErrorCode =
  | 'usage'
  | 'config'
  | 'identity'
  | 'inventory'
  | 'pki'
  | 'puppet'
  | 'puppetdb'
  | 'locked'
  | 'state'
  | 'input'
  | 'internal';

export interface KickErrorOptions {
  /** What to type or look at next, a sentence for the operator. */
  hint?: string;
  cause?: unknown;
}

/**
 * The one error class that people see. The message says what was being done, a colon, and what
 * stands against it, with values in quotes and no full stop.
 */
export class KickError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: KickErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'KickError';
    this.code = code;
    this.hint = options.hint;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system's code (`ENOENT`, `ECONNREFUSED`, …) of anything that was thrown. */
export function systemCode(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return undefined;
}
