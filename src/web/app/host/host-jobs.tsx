/** What jobs did on a host: its runs over time, and where to read more of each. */
import { Link } from '@tanstack/react-router';
import type { HostPage } from '../api/queries.ts';
import { Mark, useOutcomeText } from '../parts/outcome.tsx';
import { Time } from '../parts/time.tsx';
import { useText } from '../text/language.tsx';
import { millisOf } from '../text/times.ts';
import { toneOf } from '../theme/outcomes.ts';

export function HostJobs({ host: { certname, jobs, isCut } }: { host: HostPage }) {
  const { t } = useText();
  return (
    <section className="card">
      <div className="padded-head">
        <h2>{t.host.runs}</h2>
        {jobs.length > 1 && <Strip jobs={jobs} />}
        {jobs.length === 0 && <p className="dim">{t.host.noRuns}</p>}
      </div>
      {jobs.length > 0 && (
        <div className="scroll">
          <table className="simple">
            <thead>
              <tr>
                <th>{t.job.outcome}</th>
                <th>{t.jobs.what}</th>
                <th className="end hide-narrow">{t.job.changes}</th>
                <th className="end hide-narrow">{t.job.duration}</th>
                <th className="end">{t.jobs.when}</th>
              </tr>
            </thead>
            <tbody>
              {jobs.map((one) => (
                <Line key={one.job.id} certname={certname} {...one} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {isCut && <p className="dim small padded-head">{t.host.older}</p>}
    </section>
  );
}

type HostJob = HostPage['jobs'][number];

function Line({ certname, job, host }: HostJob & { certname: string }) {
  const { t, f } = useText();
  const textOf = useOutcomeText();
  const took = lengthOf(host);
  return (
    <tr>
      <td>
        <Mark tone={toneOf(host.outcome)}>{textOf(host.outcome ?? 'open')}</Mark>
      </td>
      <td>
        <Link to="/jobs/$job" params={{ job: job.id }} search={{ host: certname }}>
          {[job.noop === true ? t.job.noop : t.job.run, job.reason ?? job.id.slice(-8)].join(' · ')}
        </Link>
        {host.message !== undefined && <div className="dim small">{host.message}</div>}
      </td>
      <td className="end hide-narrow">{host.changed === 0 ? '' : f.number(host.changed)}</td>
      <td className="end dim hide-narrow">{took === undefined ? '' : f.span(took)}</td>
      <td className="end dim">
        <Time at={job.startedAt} isRelative />
      </td>
    </tr>
  );
}

/** The oldest first, each as high as it took long. */
function Strip({ jobs }: { jobs: readonly HostJob[] }) {
  const { t, f } = useText();
  const textOf = useOutcomeText();
  const longest = Math.max(1, ...jobs.map(({ host }) => lengthOf(host) ?? 0));
  const words = jobs.map(({ host }) => textOf(host.outcome ?? 'open')).join(', ');
  return (
    <div className="strip" role="img" aria-label={`${t.host.runs}: ${words}`}>
      {jobs.toReversed().map(({ job, host }) => {
        const took = lengthOf(host) ?? 0;
        return (
          <i
            key={job.id}
            data-tone={toneOf(host.outcome)}
            title={`${textOf(host.outcome ?? 'open')} · ${f.span(took)}`}
            style={{ height: `${Math.max(8, (100 * took) / longest)}%` }}
          />
        );
      })}
    </div>
  );
}

function lengthOf({ startedAt, endedAt }: HostJob['host']): number | undefined {
  const [from, to] = [millisOf(startedAt), millisOf(endedAt)];
  return from === undefined || to === undefined ? undefined : to - from;
}
