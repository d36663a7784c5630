/** From which catalogs the fleet ran last, and how many hosts each. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ChoiceWish } from '../../api/choice.ts';
import { fleetQuery } from '../api/queries.ts';
import { useText } from '../text/language.tsx';
import { rowOf, versionOf } from './host-rows.ts';

const SHOWN = 12;

export function Versions({ choice, hosts }: { choice: ChoiceWish; hosts: string | undefined }) {
  const { t, f } = useText();
  const { data } = useQuery(fleetQuery(choice));
  const counts = new Map<string, number>();
  for (const row of data?.hosts.map(rowOf) ?? []) {
    const version = versionOf(row);
    if (version !== undefined) counts.set(version, (counts.get(version) ?? 0) + 1);
  }
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  const most = sorted[0]?.[1] ?? 1;
  return (
    <section>
      <h2>{t.fleet.versions}</h2>
      {sorted.length === 0 && <span className="dim small">{t.common.none}</span>}
      <dl className="times small">
        {sorted.slice(0, SHOWN).map(([version, count]) => (
          <div key={version} style={{ display: 'contents' }}>
            <dt className="mono clip">
              <Link to="/fleet" search={{ version, ...(hosts !== undefined && { hosts }) }}>
                {version}
              </Link>
            </dt>
            <dd className="bar-of">
              <i style={{ width: `${(100 * count) / most}%` }} />
            </dd>
            <dd className="end number">{f.number(count)}</dd>
          </div>
        ))}
      </dl>
      {sorted.length > SHOWN && (
        <p className="dim small">{t.kick.facetMore(f.number(sorted.length - SHOWN))}</p>
      )}
    </section>
  );
}
