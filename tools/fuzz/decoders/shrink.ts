/** Makes an input that does what none may smaller, simply: it goes without each part that it does not need. */
import type { Opened } from './decoder.ts';
import { type Problem, tryInput } from './try-input.ts';

const MAX_TRIES = 600;
const MAX_MS = 15_000;

/** The smallest found that has the same cause. */
export async function shrink(opened: Opened, input: Buffer, { cause }: Problem): Promise<Buffer> {
  const until = performance.now() + MAX_MS;
  let tries = 0;
  let least = input;
  const isLeft = () => tries < MAX_TRIES && performance.now() < until;
  const isAsBad = async (one: Buffer) => {
    tries += 1;
    const tried = await tryInput(opened, one);
    return tried.end === 'problem' && tried.problem.cause === cause;
  };
  for (let size = Math.ceil(least.length / 2); size >= 1 && isLeft(); ) {
    let hasShrunk = false;
    for (let at = 0; at < least.length && isLeft(); ) {
      const less = Buffer.concat([least.subarray(0, at), least.subarray(at + size)]);
      if (await isAsBad(less)) {
        least = less;
        hasShrunk = true;
      } else at += size;
    }
    if (size === 1 && !hasShrunk) break;
    size = hasShrunk ? Math.min(size, Math.ceil(least.length / 2)) : Math.floor(size / 2);
  }
  return least;
}
