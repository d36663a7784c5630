/** Where the time of a run went, by Puppet's names, the longest first. */
import { useText } from '../text/language.tsx';

const SHOWN = 8;

export function RunTimes({ times }: { times: Readonly<Record<string, number>> | undefined }) {
  const { t, f } = useText();
  const parts = Object.entries(times ?? {})
    .filter(([name, seconds]) => name !== 'total' && seconds > 0)
    .sort((a, b) => b[1] - a[1])
    .slice(0, SHOWN);
  const most = parts[0]?.[1] ?? 0;
  if (most === 0) return null;
  return (
    <section className="stack" style={{ gap: 6 }}>
      <h2>{t.job.timings}</h2>
      <dl className="times small">
        {parts.map(([name, seconds]) => (
          <div key={name} style={{ display: 'contents' }}>
            <dt className="dim">{name.replaceAll('_', ' ')}</dt>
            <dd className="bar-of">
              <i style={{ width: `${Math.max(1, (100 * seconds) / most)}%` }} />
            </dd>
            <dd className="end number">{f.span(seconds * 1000)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
