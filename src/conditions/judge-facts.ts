/** Whether facts meet conditions, all of them together: for many hosts on a controller, for one on its agent. */
import { clip } from '../util/text.ts';
import { type FactCondition, judge, textOf } from './fact-condition.ts';
import { textsThatFit } from './fact-patterns.ts';
import { UNKNOWN_FACT } from './unknown-fact.ts';

/** Per condition, the texts that its regular expression fits; undefined for another comparison. */
export type Fits = readonly (ReadonlySet<string> | undefined)[];

/**
 * `hosts`: for each, the values of the facts in the order of the conditions. Throws `KickError` `usage` for a regular
 * expression that takes longer than `ms` on all of them, 5 s by default.
 */
export function fitsOf(
  conditions: readonly FactCondition[],
  hosts: Iterable<readonly unknown[]>,
  limit: { ms?: number } = {},
): Fits {
  const all = [...hosts];
  return conditions.map((condition, at) => {
    if (condition.comparison !== '~') return undefined;
    const texts = new Set<string>();
    for (const values of all) {
      const text = textOf(values[at]);
      if (text !== undefined) texts.add(text);
    }
    return textsThatFit(condition, texts, limit);
  });
}

/** A number: the first condition that cannot be judged, if the host meets all that can be. */
export type FactsVerdict = boolean | number;

export function judgeFacts(
  conditions: readonly FactCondition[],
  values: readonly unknown[],
  fits: Fits,
): FactsVerdict {
  const verdicts = conditions.map((condition, at) => judge(values[at], condition, fits[at]));
  if (verdicts.includes(false)) return false;
  const open = verdicts.indexOf('incomparable');
  return open < 0 || open;
}

/** A value that cannot be compared, for people. */
export function shownValue(value: unknown): string {
  if (value === UNKNOWN_FACT) return 'only a plugin of Bolt knows it';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a mapping' : clip(JSON.stringify(value) ?? '', 60);
}
