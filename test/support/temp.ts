/** A folder for a test. */

import { throwawayFolder } from '../../tools/throwaway-folder.ts';
import { afterwards } from './afterwards.ts';

/** A folder of this test's own, removed when the test has finished. */
export function tempFolder(): string {
  const folder = throwawayFolder();
  afterwards(folder.remove);
  return folder.path;
}
