/** Cleaning up after a test or, for what the tests of a file share and `beforeAll` has made, after the file. */
import { afterAll, onTestFinished } from 'vitest';

const left: (() => unknown)[] = [];

afterAll(async () => {
  for (const clean of left.splice(0).reverse()) await clean();
});

export function afterwards(clean: () => unknown): void {
  try {
    onTestFinished(async () => void (await clean()));
  } catch {
    left.push(clean); // no test runs now
  }
}
