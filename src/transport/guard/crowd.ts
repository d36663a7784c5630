/**
 * Connections of one kind, grouped by owner, in order of arrival. If there are too many, the oldest connection of the
 * largest group makes room, never the newest of a small group.
 */
export class Crowd<T> {
  /** In the order of their newest members. */
  readonly #groups = new Map<string, Set<T>>();
  readonly #groupOf = new Map<T, string>();
  /** Groups by size, so that the largest is found at once during a flood. */
  readonly #bySize = new Map<number, Set<string>>();
  #largest = 0;

  get size(): number {
    return this.#groupOf.size;
  }

  add(member: T, group: string): void {
    this.delete(member);
    this.#groupOf.set(member, group);
    const members = this.#groups.get(group) ?? new Set();
    this.#groups.delete(group);
    this.#groups.set(group, members.add(member));
    this.#resized(group, { from: members.size - 1, to: members.size });
  }

  /** Returns whether it was a member. */
  delete(member: T): boolean {
    const group = this.#groupOf.get(member);
    const members = group === undefined ? undefined : this.#groups.get(group);
    if (group === undefined || members === undefined) return false;
    this.#groupOf.delete(member);
    members.delete(member);
    this.#resized(group, { from: members.size + 1, to: members.size });
    if (members.size === 0) this.#groups.delete(group);
    return true;
  }

  has(member: T): boolean {
    return this.#groupOf.has(member);
  }

  sizeOf(group: string): number {
    return this.#groups.get(group)?.size ?? 0;
  }

  members(): Iterable<T> {
    return this.#groupOf.keys();
  }

  /** The oldest of a group. */
  oldestOf(group: string): T | undefined {
    const [oldest] = this.#groups.get(group) ?? [];
    return oldest;
  }

  /**
   * The oldest member of the largest group. A group with at most `kept(group)` members is only chosen if there is no other; of
   * several rules, later ones count where an earlier one leaves none.
   */
  oldestOfLargest(...rules: readonly ((group: string) => number)[]): T | undefined {
    for (const kept of [...rules, () => 0]) {
      for (let size = this.#largest; size > 0; size--) {
        for (const group of this.#bySize.get(size) ?? []) if (size > kept(group)) return this.oldestOf(group);
      }
    }
    return undefined;
  }

  /** The newest member of the groups with the lowest rank. */
  newestOfBest(rank: (group: string) => number): T | undefined {
    let best: Set<T> | undefined;
    let lowest = Number.POSITIVE_INFINITY;
    for (const [group, members] of this.#groups) {
      const value = rank(group);
      if (value <= lowest) {
        lowest = value;
        best = members;
      }
    }
    return best === undefined ? undefined : [...best].at(-1);
  }

  #resized(group: string, { from, to }: { from: number; to: number }): void {
    this.#bySize.get(from)?.delete(group);
    if (to > 0) this.#bySize.set(to, (this.#bySize.get(to) ?? new Set()).add(group));
    this.#largest = Math.max(this.#largest, to);
    while (this.#largest > 0 && (this.#bySize.get(this.#largest)?.size ?? 0) === 0) this.#largest -= 1;
  }
}
