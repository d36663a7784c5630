/** The latest runs of the fleet in numbers. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ChoiceWish } from '../../api/choice.ts';
import { call } from '../api/client.ts';
import { Empty, Problem, Warnings } from '../parts/states.tsx';
import { useText } from '../text/language.tsx';
import { Versions } from './versions.tsx';

interface Metric {
  hosts: number;
  min: number;
  average: number;
  max: number;
  histogram: number[];
}

/** As `kick summary --format json` says it. */
interface FleetSummary {
  hosts: number;
  answered: number;
  withRun: number;
  metrics: Record<string, Metric | undefined>;
  slowest: { certname: string; seconds: number }[];
  mostFailing: { certname: string; failed: number }[];
  driftRepaired: string[];
  driftFound: string[];
  warnings: string[];
}

export function Summary({ choice, hosts }: { choice: ChoiceWish; hosts: string | undefined }) {
  const { t, f } = useText();
  const { data, error } = useQuery({
    queryKey: ['summary', choice],
    queryFn: async ({ signal }) =>
      (await call('post /fleet/summary', { body: { choice } }, { signal })) as unknown as FleetSummary,
  });
  if (error !== null) return <Problem error={error} />;
  if (data === undefined) return <Empty title={`${t.common.loading}…`} />;
  const counts = [
    [t.kick.expression, data.hosts],
    [t.fleet.answered, data.answered],
    [t.fleet.withRun, data.withRun],
  ] as const;
  return (
    <>
      <Warnings texts={data.warnings} />
      <div className="stack" style={{ padding: 16, gap: 20 }}>
        <div className="figures">
          {counts.map(([label, value]) => (
            <div key={label}>
              <div className="big">{f.number(value)}</div>
              <div className="dim small">{label}</div>
            </div>
          ))}
        </div>
        <div className="figures">
          {Object.entries(data.metrics).map(
            ([name, metric]) =>
              metric !== undefined && (
                <Chart key={name} title={t.fleet.metrics[name] ?? name} metric={metric} />
              ),
          )}
        </div>
        <Versions choice={choice} hosts={hosts} />
        <div className="figures" style={{ columnGap: 32 }}>
          <Names
            title={t.fleet.slowest}
            rows={data.slowest.map((one) => [one.certname, f.span(one.seconds * 1000)])}
          />
          <Names
            title={t.fleet.mostFailing}
            rows={data.mostFailing.map((one) => [one.certname, f.number(one.failed)])}
          />
          <Names title={t.fleet.drift} rows={data.driftRepaired.slice(0, 20).map((one) => [one, ''])} />
          <Names title={t.fleet.driftFound} rows={data.driftFound.slice(0, 20).map((one) => [one, ''])} />
        </div>
      </div>
    </>
  );
}

function Chart({ title, metric }: { title: string; metric: Metric }) {
  const { t, f } = useText();
  const most = Math.max(1, ...metric.histogram);
  const round = (value: number) => f.number(Math.round(value * 10) / 10);
  const words = `${title}: ${round(metric.min)} – ${round(metric.max)}`;
  return (
    <div className="card padded">
      <h2 className="clip">{title}</h2>
      <div className="histogram" role="img" aria-label={words}>
        {metric.histogram.map((count, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: columns have no name but their place
          <i key={index} style={{ height: `${(100 * count) / most}%` }} />
        ))}
      </div>
      <div className="row apart dim small number">
        <span>{round(metric.min)}</span>
        <span>
          {t.fleet.average} {round(metric.average)}
        </span>
        <span>{round(metric.max)}</span>
      </div>
    </div>
  );
}

function Names({ title, rows }: { title: string; rows: readonly (readonly [string, string])[] }) {
  const { t } = useText();
  return (
    <div>
      <h2>{title}</h2>
      {rows.length === 0 && <span className="dim small">{t.common.none}</span>}
      <ul className="small">
        {rows.map(([certname, value]) => (
          <li key={certname} className="row apart">
            <Link to="/hosts/$certname" params={{ certname }} className="mono clip">
              {certname}
            </Link>
            <span className="number">{value}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
