/** The history of jobs. */
import { Button, NativeSelect } from '@mantine/core';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { call } from '../api/client.ts';
import type { JobLine } from '../api/queries.ts';
import { FilterInput } from '../parts/filter-input.tsx';
import { Mark, OutcomeBar, useOutcomeText } from '../parts/outcome.tsx';
import { Empty, Problem } from '../parts/states.tsx';
import { Time } from '../parts/time.tsx';
import { usePageKeys } from '../parts/use-page-keys.ts';
import { Cell, Heading } from '../parts/virtual-rows.tsx';
import { useMe } from '../shell/shell.tsx';
import { useText } from '../text/language.tsx';
import { OUTCOMES, type Tone } from '../theme/outcomes.ts';

type Filter = { by?: string; outcome?: string };

export function JobsPage() {
  const { t } = useText();
  const filter: Filter = useSearch({ from: '/jobs' });
  usePageKeys();
  const jobs = useJobs(filter);
  const lines = jobs.data?.pages.flatMap((page) => page.jobs) ?? [];
  const isFiltered = Object.keys(filter).length > 0;
  return (
    <div className="page">
      <div className="page-head" style={{ alignItems: 'center' }}>
        <h1>{t.jobs.title}</h1>
        <Link to="/compare">{t.compare.link}</Link>
      </div>
      <Problem error={jobs.error} />
      <section className="card">
        <Filters filter={filter} />
        {jobs.data !== undefined && lines.length === 0 ? (
          <NoJobs isFiltered={isFiltered} />
        ) : (
          <JobTable lines={lines} />
        )}
      </section>
      {jobs.hasNextPage && (
        <div>
          <Button
            variant="default"
            loading={jobs.isFetchingNextPage}
            onClick={() => void jobs.fetchNextPage()}
          >
            {t.common.more}
          </Button>
        </div>
      )}
    </div>
  );
}

function useJobs(filter: Filter) {
  return useInfiniteQuery({
    queryKey: ['jobs', filter],
    queryFn: ({ pageParam, signal }) => {
      const cursor = pageParam === '' ? {} : { cursor: pageParam };
      const query = { ...filter, ...cursor } as NonNullable<Parameters<typeof call<'get /jobs'>>[1]['query']>;
      return call('get /jobs', { query }, { signal });
    },
    initialPageParam: '',
    getNextPageParam: ({ next }) => next,
    refetchInterval: 5000,
    placeholderData: keepPreviousData,
  });
}

function NoJobs({ isFiltered }: { isFiltered: boolean }) {
  const { t } = useText();
  if (isFiltered) {
    return (
      <Empty title={t.common.nothingFound}>
        <Link to="/jobs">{t.common.clearFilter}</Link>
      </Empty>
    );
  }
  return (
    <Empty title={t.jobs.emptyTitle} hint={t.jobs.emptyHint}>
      <Link to="/kick">{t.jobs.start}</Link>
    </Empty>
  );
}

function Filters({ filter }: { filter: Filter }) {
  const { t } = useText();
  const textOf = useOutcomeText();
  const seesAll = useMe().limits.every(({ hosts }) => hosts === undefined);
  const navigate = useNavigate();
  const set = (change: Filter) => {
    const kept = Object.entries({ ...filter, ...change }).filter(([, value]) => value !== '');
    void navigate({ to: '/jobs', search: Object.fromEntries(kept), replace: true });
  };
  return (
    <div className="search">
      <FilterInput
        aria-label={t.jobs.filterBy}
        placeholder={`${t.jobs.filterBy}  /`}
        value={filter.by ?? ''}
        onFilter={(by) => set({ by })}
        data-search
      />
      {seesAll && (
        <NativeSelect
          size="sm"
          aria-label={t.jobs.result}
          value={filter.outcome ?? ''}
          onChange={(event) => set({ outcome: event.currentTarget.value })}
          data={[
            { value: '', label: t.jobs.anyOutcome },
            ...OUTCOMES.map((value) => ({ value, label: textOf(value) })),
          ]}
        />
      )}
    </div>
  );
}

export function JobTable({ lines }: { lines: readonly JobLine[] }) {
  const { t } = useText();
  const columns = 'minmax(96px, 1fr) minmax(0, 3fr) minmax(72px, 1fr) minmax(90px, 2fr) minmax(100px, 1fr)';
  return (
    <div
      className="table plain"
      role="table"
      aria-label={t.jobs.title}
      style={{ '--columns': columns, '--narrow': '10px minmax(0, 1fr) 100px' } as React.CSSProperties}
    >
      <div role="rowgroup" className="head">
        <div role="row">
          <Heading className="only-dot">{t.common.state}</Heading>
          <Heading>{t.jobs.what}</Heading>
          <Heading className="hide-narrow">{t.jobs.by}</Heading>
          <Heading className="hide-narrow">{t.jobs.result}</Heading>
          <Heading className="end">{t.jobs.when}</Heading>
        </div>
      </div>
      <div role="rowgroup" className="body" data-rows>
        {lines.map((line) => (
          <Line key={line.id} line={line} />
        ))}
      </div>
    </div>
  );
}

/** Whoever may not look at all hosts is not told. */
const toneOfExit = (exit: number | undefined): Tone =>
  exit === undefined ? 'open' : exit === 0 ? 'ok' : 'failed';

function Line({ line }: { line: JobLine }) {
  const { t, f } = useText();
  const navigate = useNavigate();
  const { id, by, reason, noop, state, hosts, counts = {}, startedAt, exit } = line;
  const tone = state === 'running' ? 'live' : state === 'done' ? toneOfExit(exit) : 'held';
  const word = state === 'done' && tone === 'failed' ? t.jobs.notWell : t.job.states[state];
  const count = hosts === undefined ? undefined : t.common.hosts(hosts, f.number(hosts));
  const title = [noop === true ? t.job.noop : t.job.run, count, reason];
  const open = () => void navigate({ to: '/jobs/$job', params: { job: id } });
  return (
    <div role="row" tabIndex={0} onClick={open} onKeyDown={(event) => event.key === 'Enter' && open()}>
      <Cell className="only-dot">
        <Mark tone={tone}>{word}</Mark>
      </Cell>
      <Cell className="what">
        <Link to="/jobs/$job" params={{ job: id }} tabIndex={-1}>
          {title.filter(Boolean).join(' · ')}
        </Link>
      </Cell>
      <Cell className="dim hide-narrow">{by}</Cell>
      <Cell className="hide-narrow">
        {hosts !== undefined && <OutcomeBar counts={counts} hosts={hosts} isThin />}
      </Cell>
      <Cell className="end dim">
        <Time at={startedAt} isRelative />
      </Cell>
    </div>
  );
}
