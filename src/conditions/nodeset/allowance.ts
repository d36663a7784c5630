/** How much the expressions of one choice may mean: more is most likely a typo, and would only fill the memory. */

/** Maximum number of names. */
export const MAX_NAMES = 250_000;

/** Maximum number of groups and masks: each is looked up among all hosts. */
export const MAX_LOOKUPS = 10_000;

/** What is left; counted down as expressions are read. */
export interface Allowance {
  names: number;
  lookups: number;
}

export const wholeAllowance = (): Allowance => ({ names: MAX_NAMES, lookups: MAX_LOOKUPS });

export function isUsedUp({ names, lookups }: Allowance): boolean {
  return names < 0 || lookups < 0;
}
