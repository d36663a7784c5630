/** One host: what it is doing, its last run, what is wrong with it. */

import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import type { LastRun } from '../../../protocol/status.ts';
import { type HostPage as HostPageData, hostQuery } from '../api/queries.ts';
import { type Finding, FindingLine } from '../fleet/doctor.tsx';
import { type FleetRow, rowOf, toneOfRun, toneOfState } from '../fleet/host-rows.ts';
import { countsOf, Facts } from '../parts/facts.tsx';
import { Mark } from '../parts/outcome.tsx';
import { RunTimes } from '../parts/run-times.tsx';
import { Problem } from '../parts/states.tsx';
import { Time } from '../parts/time.tsx';
import { mayRun, useMe } from '../shell/shell.tsx';
import { useText } from '../text/language.tsx';
import { HostJobs } from './host-jobs.tsx';
import { LastLog } from './last-log.tsx';

export function HostPage() {
  const { t } = useText();
  const { certname } = useParams({ from: '/hosts/$certname' });
  const { data: host, error } = useQuery(hostQuery(certname));
  const isAllowed = mayRun(useMe());
  return (
    <div className="page">
      <div className="page-head">
        <h1 className="mono">{certname}</h1>
        {isAllowed && (
          <Link to="/kick" search={{ hosts: certname }} className="button-link">
            {t.host.kick}
          </Link>
        )}
      </div>
      <Problem error={error} />
      {host?.warnings.map((warning) => (
        <div key={warning} className="note warning">
          {warning}
        </div>
      ))}
      {host !== undefined && (
        <>
          <Now host={host} row={rowOf(host.now)} />
          <Findings findings={host.findings as unknown as Finding[]} />
          <HostJobs host={host} />
          <LastLog host={host} />
        </>
      )}
    </div>
  );
}

function Now({ host, row }: { host: HostPageData; row: FleetRow }) {
  const { t, f } = useText();
  const { state, status, error, overdue } = row;
  const { lastRun, disabled, running, obstacle } = status ?? {};
  const { certificateDays: days, groups } = host;
  return (
    <div className="figures" style={{ gridTemplateColumns: 'repeat(auto-fit, minmax(300px, 1fr))' }}>
      <section className="card padded stack">
        <h2>{t.host.now}</h2>
        <div>
          <Mark tone={toneOfState(state)}>{t.fleet.states[state] ?? state}</Mark>
        </div>
        {[error, overdue, obstacle, running?.what].map(
          (said) => said !== undefined && <p key={said}>{said}</p>,
        )}
        {disabled !== undefined && (
          <p>
            {t.fleet.disabledBy(disabled.reason, disabled.by ?? 'puppet agent --disable')}
            {disabled.until !== undefined && ` ${t.fleet.until(f.time(disabled.until))}`}
          </p>
        )}
        {status === undefined ? (
          <p className="dim">{t.host.noAnswer}</p>
        ) : (
          <Facts
            rows={[
              [t.host.agent, `kick ${status.version} · ${status.runner}`],
              ['Puppet', status.puppetVersion],
              [t.host.certificate, days === undefined ? undefined : t.host.days(days, f.number(days))],
              [t.host.groups, groups.map((one) => `@${one}`).join(' ')],
            ]}
          />
        )}
      </section>
      <LastRunCard lastRun={lastRun} />
    </div>
  );
}

function LastRunCard({ lastRun }: { lastRun: LastRun | undefined }) {
  const { t, f } = useText();
  const total = lastRun?.times?.['total'];
  return (
    <section className="card padded stack">
      <h2>{t.fleet.lastRun}</h2>
      {lastRun === undefined ? (
        <p className="dim">{t.fleet.neverRun}</p>
      ) : (
        <>
          <div className="tone" data-tone={toneOfRun(lastRun.status)}>
            {t.outcomes[lastRun.status]}
            <span className="dim">
              <Time at={lastRun.at} isRelative />
            </span>
          </div>
          <Facts
            rows={[
              [t.kick.environment, lastRun.environment],
              [t.job.catalog, lastRun.configurationVersion],
              [t.host.resources, countsOf(lastRun.resources, t)],
              [t.job.duration, total === undefined ? undefined : f.span(total * 1000)],
            ]}
          />
          <RunTimes times={lastRun.times} />
        </>
      )}
    </section>
  );
}

function Findings({ findings }: { findings: readonly Finding[] }) {
  const { t } = useText();
  return (
    <section className="card padded stack">
      <h2>{t.host.findings}</h2>
      {findings.length === 0 && <p className="dim">{t.fleet.doctorWell}</p>}
      {findings.map((finding) => (
        <FindingLine key={finding.what} finding={finding} />
      ))}
    </section>
  );
}
