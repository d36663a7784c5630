/** Changes a stored file as a newer or older kick might have written it: without a checksum. */
import { readFileSync, writeFileSync } from 'node:fs';

export function editStored(path: string, changes: object): void {
  const { sum: _sum, ...value } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  writeFileSync(path, JSON.stringify({ ...value, ...changes }));
}
