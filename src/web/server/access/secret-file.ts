/** Secrets that controller.yaml names by file. */
import { KickError, messageOf } from '../../../errors.ts';
import { readTrusted } from '../../../util/trusted-file.ts';

const MAX_BYTES = 4096;

/** Without the line's end. Throws `KickError` `config`, and `untrusted` if others can change the file. */
export function readSecret(path: string, key: string): string {
  try {
    return readTrusted(path, { doing: `read "${path}"`, maxBytes: MAX_BYTES })
      .toString('utf8')
      .trim();
  } catch (error) {
    if (error instanceof KickError) throw error;
    throw new KickError('config', `read "${path}": ${messageOf(error)}`, {
      hint: `${key} in controller.yaml`,
      cause: error,
    });
  }
}
