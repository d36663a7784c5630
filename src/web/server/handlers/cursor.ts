/** Pages by key, never by offset: a row that comes or goes meanwhile neither repeats nor hides another. */
import { ApiProblem } from '../../api/problem.ts';

interface PageOptions<T> {
  cursor: string | undefined;
  size: number;
  /** What the items are sorted by. */
  keyOf(item: T): readonly string[];
  /** They are sorted from the highest to the lowest. */
  isReversed?: boolean;
}

/** `items` are sorted by key. Throws `ApiProblem` `bad-request` for a cursor from elsewhere. */
export function afterCursor<T>(
  items: readonly T[],
  { cursor, size, keyOf, isReversed = false }: PageOptions<T>,
): { items: T[]; next: { next?: string } } {
  const after = cursor === undefined ? undefined : keyIn(cursor);
  const isAfter = (key: readonly string[]) =>
    after === undefined || (isReversed ? compare(key, after) < 0 : compare(key, after) > 0);
  const left = items.filter((item) => isAfter(keyOf(item)));
  const page = left.slice(0, size);
  const last = page.at(-1);
  const next = left.length > size && last !== undefined ? { next: cursorAt(keyOf(last)) } : {};
  return { items: page, next };
}

function cursorAt(key: readonly string[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

function keyIn(cursor: string): string[] {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(key) && key.length <= 2 && key.every((part) => typeof part === 'string')) return key;
  } catch {
    // It is none of ours.
  }
  throw new ApiProblem('bad-request', 'the cursor is not one of ours', {
    errors: [{ path: 'query.cursor', message: 'take it from the field next of the page before' }],
  });
}

function compare(one: readonly string[], other: readonly string[]): number {
  for (const [index, part] of one.entries()) {
    const against = other[index] ?? '';
    if (part !== against) return part < against ? -1 : 1;
  }
  return one.length - other.length;
}
