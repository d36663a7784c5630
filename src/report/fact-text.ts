/** `kick facts`: hosts by the values of a fact. */

import { hostList } from '../conditions/nodeset/host-list.ts';
import type { FactCounts, FactValue } from '../controller/count-fact.ts';
import { clipColumns, columnsOf, padColumns } from '../util/columns.ts';
import { clip, plural, safeText } from '../util/text.ts';

/** Columns of a value; JSON has all of it. */
const MAX_VALUE = 40;

/** Names and ranges behind each value. */
const MOST = 3;

/** `  20  Debian  web[01-20].example.com`: a line for each value, then the hosts without one, and those of which nobody knows. */
export function factText({ values, none, unclear }: FactCounts): string {
  const rows = [
    ...values.map(({ value, certnames }): Row => [valueText(value), certnames]),
    ...(none.length > 0 ? [['(none)', none] as Row] : []),
    ...(unclear.length > 0 ? [['(not known)', unclear.map(({ certname }) => certname)] as Row] : []),
  ];
  const count = String(Math.max(0, ...rows.slice(0, 100).map(([, hosts]) => hosts.length))).length;
  const width = rows.reduce((most, [text]) => Math.max(most, columnsOf(text)), 0);
  const lines = rows.map(
    ([text, hosts]) =>
      `${String(hosts.length).padStart(count + 2)}  ${padColumns(text, width)}  ${hostList(hosts, { most: MOST })}\n`,
  );
  const all = rows.reduce((sum, [, hosts]) => sum + hosts.length, 0);
  return `${lines.join('')}${plural(all, 'host')}, ${plural(values.length, 'value')}\n`;
}

type Row = readonly [text: string, hosts: readonly string[]];

function valueText(value: unknown): string {
  const text = typeof value === 'string' && value.trim() !== '' ? value : (JSON.stringify(value) ?? '');
  return clipColumns(safeText(clip(text, 200)), MAX_VALUE);
}

/** Keys that are named. */
const MAX_KEYS = 12;

/** `family, name, release`, of values that all are mappings; empty if they are not. */
export function keysBelow(values: readonly FactValue[]): string {
  const keys = new Set<string>();
  for (const { value } of values) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return '';
    for (const key of Object.keys(value)) keys.add(key);
  }
  const all = [...keys];
  const shown = all.slice(0, MAX_KEYS).map((key) => clip(key, 40));
  return all.length > MAX_KEYS ? `${shown.join(', ')}, and ${all.length - MAX_KEYS} more` : shown.join(', ');
}
