/** `5` or `10%` of something: batches, budgets, a limit. */
export interface Share {
  count: number;
  unit: 'hosts' | 'percent';
}

/** How many of `total` it is, rounded up, so that only 0 means none. */
export function countOf({ count, unit }: Share, total: number): number {
  return unit === 'hosts' ? count : Math.ceil((total * count) / 100);
}

/** Parses `5` or `10%`; undefined if it is neither. */
export function parseShare(text: string): Share | undefined {
  const [, digits, percent] = /^(\d{1,7})(%?)$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const count = Number(digits);
  if (percent === '%' && count > 100) return undefined;
  return { count, unit: percent === '%' ? 'percent' : 'hosts' };
}

export function formatShare({ count, unit }: Share): string {
  return `${count}${unit === 'percent' ? '%' : ''}`;
}
