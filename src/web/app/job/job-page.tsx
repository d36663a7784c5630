/** A job: live while it runs, and afterwards what became of it. */
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useEffect } from 'react';
import { OutcomeBar, useOutcomeText } from '../parts/outcome.tsx';
import { Problem } from '../parts/states.tsx';
import { Tabs } from '../parts/tabs.tsx';
import { usePageKeys } from '../parts/use-page-keys.ts';
import { useText } from '../text/language.tsx';
import { NOT_DONE, OUTCOMES, toneOf } from '../theme/outcomes.ts';
import { ChangeGroups } from './change-groups.tsx';
import { FailureGroups } from './failure-groups.tsx';
import { HostDrawer } from './host-drawer.tsx';
import { HostTable } from './host-table.tsx';
import { JobHead } from './job-head.tsx';
import type { JobSearch, SetSearch } from './job-search.ts';
import { Progress } from './progress.tsx';
import { type LiveJob, useJob } from './use-job.ts';

export function JobPage() {
  const { job: id } = useParams({ from: '/jobs/$job' });
  const search = useSearch({ from: '/jobs/$job' });
  const navigate = useNavigate();
  const live = useJob(id);
  usePageKeys();
  useTitle(live);
  const set: SetSearch = (change) => {
    const all = Object.entries({ ...search, ...change });
    const kept = Object.fromEntries(all.filter(([, value]) => value !== undefined && value !== ''));
    void navigate({ to: '/jobs/$job', params: { job: id }, search: kept, replace: true, resetScroll: false });
  };
  if (live.job === undefined) {
    return (
      <div className="page">
        <Problem error={live.error} />
      </div>
    );
  }
  return (
    <div className="page">
      <JobHead job={live.job} view={live.view} />
      <Overview live={live} search={search} set={set} />
      <Details live={live} search={search} set={set} />
      <HostDrawer
        job={id}
        row={live.view.rows.get(search.host ?? '')}
        onClose={() => set({ host: undefined })}
      />
    </div>
  );
}

interface PartProps {
  live: LiveJob;
  search: JobSearch;
  set: SetSearch;
}

function Overview({ live: { job, view, isConnected }, search, set }: PartProps) {
  const { t, f } = useText();
  const textOf = useOutcomeText();
  const hosts = job?.hosts ?? 0;
  const open = hosts - view.done;
  const chips = [...OUTCOMES.map((one) => [one, view.counts[one] ?? 0] as const), ['open', open] as const];
  return (
    <section className="card padded stack" aria-label={t.jobs.result}>
      <OutcomeBar counts={view.counts} hosts={hosts} />
      <div className="row wrap apart">
        <div className="chips">
          {chips.map(
            ([outcome, count]) =>
              (count > 0 || search.outcome === outcome) && (
                <button
                  key={outcome}
                  type="button"
                  className="chip"
                  aria-pressed={search.outcome === outcome}
                  onClick={() =>
                    set({ outcome: search.outcome === outcome ? undefined : outcome, tab: undefined })
                  }
                >
                  <span className="tone" data-tone={toneOf(outcome)}>
                    {textOf(outcome)}
                  </span>
                  <b>{f.number(count)}</b>
                </button>
              ),
          )}
        </div>
        <Progress job={job} view={view} />
      </div>
      {!isConnected && (
        <div className="note warning" role="status">
          {t.job.reconnecting}
        </div>
      )}
    </section>
  );
}

function Details({ live: { job, view }, search, set }: PartProps) {
  const { t } = useText();
  const tab = search.tab === 'changes' || search.tab === 'failures' ? search.tab : 'hosts';
  const failed = NOT_DONE.reduce((sum, outcome) => sum + (view.counts[outcome] ?? 0), 0);
  const id = job?.id ?? '';
  const onHost = (host: string) => set({ host });
  return (
    <section className="card">
      <Tabs
        label={t.job.tabs.hosts}
        value={tab}
        onChange={(value) => set({ tab: value === 'hosts' ? undefined : value })}
        tabs={[
          ['hosts', t.job.tabs.hosts],
          ['changes', t.job.tabs.changes],
          ['failures', t.job.tabs.failures, failed],
        ]}
      />
      {tab === 'hosts' && <HostTable view={view} search={search} set={set} />}
      {tab === 'changes' && <ChangeGroups job={id} view={view} onHost={onHost} />}
      {tab === 'failures' && <FailureGroups view={view} onHost={onHost} />}
    </section>
  );
}

/** What can be read on a tab that is not looked at: how far it is. */
function useTitle({ job, view }: LiveJob): void {
  const { t, f } = useText();
  const id = job?.id.slice(-8) ?? '';
  const hosts = job?.hosts ?? 0;
  const share = job?.state === 'running' && hosts > 0 ? `${f.percent(view.done / hosts)} · ` : '';
  const title = `${share}${t.job.title(id)} · kick`;
  useEffect(() => {
    document.title = title;
    return () => {
      document.title = 'kick';
    };
  }, [title]);
}
