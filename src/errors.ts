/** What a `KickError` is about; scripts, the API and tests rely on these codes. */
export const ERRORS = {
  usage: 'what was typed cannot be used as it is',
  config: 'a configuration file, or what it asks for, cannot be used',
  identity: 'this machine has no certificate, key or CA that can be used',
  inventory: 'inventory.yaml, a nodes file, or what a group is made of cannot be used',
  pki: 'a certificate, key, CA or CRL cannot be used or made',
  puppet: 'Puppet is not installed, or fails',
  puppetdb: 'PuppetDB cannot be reached, refuses, or answers nonsense',
  locked: 'another kick holds the lock, or another kick agent holds the state directory',
  state: 'a job or another file of the state directory is missing, damaged, or does not allow this',
  input: 'what was read from a pipe or file is not in the expected form',
  untrusted: 'others can change something that kick would have to trust or run; none of it was used',
  internal: 'an error of kick itself; please report it',
} as const;

export type ErrorCode = keyof typeof ERRORS;

export interface KickErrorOptions {
  /** What to type or check next, for the operator. */
  hint?: string;
  cause?: unknown;
}

/**
 * The one error class that people see. The message is what was being done, a colon, and what stands
 * against it, with values in quotes and no full stop.
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

/** Whether the system refused something: a file that is missing, a folder that is a file, a full disk. */
export function isSystemError(error: unknown): error is Error {
  // Node's own codes are ERR_…
  return /^E[A-Z0-9]+$/.test(systemCode(error) ?? '');
}

/**
 * Does some work on files; what the system refuses becomes a `KickError` whose message is `doing`, a colon, and the system's
 * message.
 */
export async function onFiles<T>(
  { code, doing }: { code: ErrorCode; doing: string },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new KickError(code, `${doing}: ${error.message}`, { cause: error });
  }
}

/** The system's code (`ENOENT`, `ECONNREFUSED`, …) of anything that was thrown. */
export function systemCode(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return undefined;
}

/** Whether there is no room for what was to be written: a full disk, a quota, a limit of file sizes. */
export function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(systemCode(error) ?? '');
}

/** Whether nothing can be written there for now: it is full, read-only, or fails. */
export function isUnwritable(error: unknown): boolean {
  return isFull(error) || ['EROFS', 'EIO'].includes(systemCode(error) ?? '');
}

/** Whether it refuses what others can change. */
export function isUntrusted(error: unknown): error is KickError & { readonly code: 'untrusted' } {
  return error instanceof KickError && error.code === 'untrusted';
}

/** The message of anything that was thrown and what to type next, on one line: for logs and outcomes. */
export function messageAndHint(error: unknown): string {
  const message = messageOf(error);
  return error instanceof KickError && error.hint !== undefined ? `${message}; ${error.hint}` : message;
}
