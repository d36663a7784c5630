/** The latest run of a host that kick knows of: what changed, and its log. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type HostPage, jobHostQuery } from '../api/queries.ts';
import { HostLog } from '../job/host-log.tsx';
import { Resources } from '../job/resources.tsx';
import { Problem } from '../parts/states.tsx';
import { useText } from '../text/language.tsx';

type HostJob = HostPage['jobs'][number];

export function LastLog({ host: { certname, jobs } }: { host: HostPage }) {
  const last = jobs.find(({ host }) => host.startedAt !== undefined);
  return last === undefined ? null : <Log certname={certname} last={last} />;
}

function Log({ certname, last: { job, host } }: { certname: string; last: HostJob }) {
  const { t } = useText();
  const { data, error } = useQuery(jobHostQuery(job.id, certname, host.outcome !== undefined));
  return (
    <section className="card padded stack" aria-label={t.host.lastLog}>
      <div className="row apart">
        <h2>{t.host.lastLog}</h2>
        <Link to="/jobs/$job" params={{ job: job.id }} search={{ host: certname }} className="small">
          {t.job.title(job.id.slice(-8))}
        </Link>
      </div>
      <Problem error={error} />
      {data !== undefined && (
        <>
          {data.resources.length > 0 && <Resources resources={data.resources} more={data.moreResources} />}
          <HostLog log={data.log} />
        </>
      )}
    </section>
  );
}
