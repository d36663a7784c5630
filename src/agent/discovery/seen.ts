/** Questions that were answered, for as long as they could be repeated. */

/** More than can be answered in that time. */
const MAX_KEPT = 5000;

export interface Seen {
  /** Whether this one came before; times in seconds. From now on it has. */
  has(id: string, until: number, now: number): boolean;
}

export function createSeen(): Seen {
  const kept = new Map<string, number>();
  return {
    has(id, until, now) {
      if (kept.has(id)) return true;
      for (const [one, end] of kept) {
        if (end >= now && kept.size < MAX_KEPT) break; // in order of time
        kept.delete(one);
      }
      kept.set(id, until);
      return false;
    },
  };
}
