/** Files that are read anew whenever somebody asks. */
import { KickError } from '../../../src/errors.ts';
import { EnrolmentRefusal } from '../../../src/pki/enrolment-refusal.ts';
import { BrokenPromise } from '../check.ts';

/** Files that are only read together. */
export interface Kept {
  /** That it is there is what it says: nobody can tell that it has vanished. */
  isMark?: boolean;
  /** Writes them whole into an empty folder; what returns asks for them in a copy of it, and returns what is false. */
  make(folder: string): Promise<(folder: string) => Promise<string | undefined>>;
}

/** Undefined for what is refused with an error of ours. */
export async function orRefused<T>(work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof EnrolmentRefusal) return undefined;
    if (error instanceof KickError && error.code !== 'internal') return undefined;
    throw new BrokenPromise(`an error that nobody declared: ${(error as Error).stack}`);
  }
}
