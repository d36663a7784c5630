/** How many of something everybody may have at a time. */
export interface Shares {
  /** Returns false if `who` has as many as anybody may. */
  take(who: string): boolean;
  giveBack(who: string): void;
}

export function createShares(each: number): Shares {
  const taken = new Map<string, number>();
  return {
    take(who) {
      const count = taken.get(who) ?? 0;
      if (count >= each) return false;
      taken.set(who, count + 1);
      return true;
    },
    giveBack(who) {
      const count = taken.get(who) ?? 0;
      if (count <= 1) taken.delete(who);
      else taken.set(who, count - 1);
    },
  };
}
