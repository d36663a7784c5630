/** Names and values under each other; those without a value are left out. */
import type { ReactNode } from 'react';
import type { Text } from '../text/en.ts';

export type FactRow = readonly [name: string, value: ReactNode];

export function Facts({ rows }: { rows: readonly FactRow[] }) {
  const known = rows.filter(([, value]) => value !== undefined && value !== '');
  if (known.length === 0) return null;
  return (
    <dl className="facts">
      {known.map(([name, value]) => (
        <div key={name} style={{ display: 'contents' }}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** `total 120 · changed 2`: of Puppet's counts those that are not 0. */
export function countsOf(counts: Readonly<Record<string, number>> | undefined, { host }: Text): string {
  const told = Object.entries(counts ?? {}).filter(([, count]) => count > 0);
  return told
    .map(([name, count]) => `${host.counts[name] ?? name.replaceAll('_', ' ')} ${count}`)
    .join(' · ');
}
