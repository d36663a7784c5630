/** Two jobs side by side: the hosts that ended differently, and those that were only in one. */
import { NativeSelect } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { call } from '../api/client.ts';
import { allHostsOf, type JobHost, type JobLine } from '../api/queries.ts';
import { Mark, OutcomeBar, useOutcomeText } from '../parts/outcome.tsx';
import { Empty, Problem } from '../parts/states.tsx';
import { Cell, Heading, ROW_PX, TALL_PX, VirtualRows } from '../parts/virtual-rows.tsx';
import { useText } from '../text/language.tsx';
import { millisOf } from '../text/times.ts';
import { toneOf } from '../theme/outcomes.ts';

const KINDS = ['different', 'same', 'onlyFirst', 'onlySecond'] as const;
type Kind = (typeof KINDS)[number];

interface Pair {
  certname: string;
  first: JobHost | undefined;
  second: JobHost | undefined;
}

export function ComparePage() {
  const { t } = useText();
  const { a, b, show } = useSearch({ from: '/compare' });
  const navigate = useNavigate();
  const { data: jobs = [], error } = useQuery({
    queryKey: ['jobs-to-compare'],
    queryFn: async ({ signal }) => (await call('get /jobs', { query: { limit: '100' } }, { signal })).jobs,
  });
  const [first, second] = [useHosts(a), useHosts(b)];
  const set = (change: { a?: string; b?: string; show?: string }) =>
    void navigate({ to: '/compare', search: (before) => ({ ...before, ...change }), replace: true });
  return (
    <div className="page">
      <h1>{t.compare.title}</h1>
      <Problem error={error ?? first.error ?? second.error} />
      <section className="card padded fields">
        <Side label={t.compare.first} jobs={jobs} value={a} onPick={(id) => set({ a: id })} />
        <Side label={t.compare.second} jobs={jobs} value={b} onPick={(id) => set({ b: id })} />
      </section>
      <section className="card">
        {first.data === undefined || second.data === undefined ? (
          <Empty title={t.compare.pick} hint={t.compare.pickHint} />
        ) : (
          <Differences
            first={first.data}
            second={second.data}
            shown={KINDS.find((one) => one === show) ?? 'different'}
            onShow={(kind) => set({ show: kind })}
          />
        )}
      </section>
    </div>
  );
}

function useHosts(job: string | undefined) {
  return useQuery({
    queryKey: ['hosts-of', job],
    queryFn: async ({ signal }) => {
      const hosts: JobHost[] = [];
      await allHostsOf(job ?? '', { onPage: (page) => hosts.push(...page), signal });
      return hosts;
    },
    enabled: job !== undefined,
  });
}

interface SideProps {
  label: string;
  jobs: readonly JobLine[];
  value: string | undefined;
  onPick(job: string): void;
}

function Side({ label, jobs, value, onPick }: SideProps) {
  const { t, f } = useText();
  const nameOf = ({ id, noop, hosts, reason, startedAt }: JobLine) => {
    const count = hosts === undefined ? undefined : t.common.hosts(hosts, f.number(hosts));
    const words = [noop === true ? t.job.noop : t.job.run, count, reason];
    return `${f.time(millisOf(startedAt) ?? 0)} · ${words.filter(Boolean).join(' · ')} · ${id.slice(-8)}`;
  };
  const job = jobs.find(({ id }) => id === value);
  const known =
    job === undefined && value !== undefined ? [{ value, label: t.job.title(value.slice(-8)) }] : [];
  return (
    <div className="stack">
      <NativeSelect
        label={label}
        value={value ?? ''}
        onChange={(event) => event.currentTarget.value !== '' && onPick(event.currentTarget.value)}
        data={[
          { value: '', label: `${t.compare.pick}…` },
          ...known,
          ...jobs.map((one) => ({ value: one.id, label: nameOf(one) })),
        ]}
      />
      {job !== undefined && (
        <Link to="/jobs/$job" params={{ job: job.id }} aria-label={t.job.title(job.id.slice(-8))}>
          {job.hosts === undefined ? (
            job.id.slice(-8)
          ) : (
            <OutcomeBar counts={job.counts ?? {}} hosts={job.hosts} isThin />
          )}
        </Link>
      )}
    </div>
  );
}

interface DifferencesProps {
  first: readonly JobHost[];
  second: readonly JobHost[];
  shown: Kind;
  onShow(kind: Kind): void;
}

function Differences({ first, second, shown, onShow }: DifferencesProps) {
  const { t, f } = useText();
  const kinds = useMemo(() => sorted(first, second), [first, second]);
  const rows = kinds[shown];
  // A phone has no room for a name and two outcomes side by side.
  const isTall = useMediaQuery('(max-width: 640px)', false, { getInitialValueInEffect: false });
  const rowPx = isTall ? TALL_PX : ROW_PX;
  const columns = 'minmax(0, 4fr) minmax(110px, 2fr) minmax(110px, 2fr) minmax(0, 4fr)';
  return (
    <>
      <div className="search">
        <div className="chips">
          {KINDS.map((kind) => (
            <button
              key={kind}
              type="button"
              className="chip"
              aria-pressed={shown === kind}
              onClick={() => onShow(kind)}
            >
              {t.compare[kind]} <b>{f.number(kinds[kind].length)}</b>
            </button>
          ))}
        </div>
      </div>
      <VirtualRows
        label={t.compare.title}
        rows={rows}
        keyOf={({ certname }) => certname}
        columns={columns}
        narrow="minmax(0, 1fr) minmax(0, 1fr)"
        isTall={isTall}
        height={`min(calc(100dvh - 300px), ${(rows.length + 1) * rowPx + 1}px)`}
        head={
          <>
            <Heading>{t.common.host}</Heading>
            <Heading>{t.compare.first}</Heading>
            <Heading>{t.compare.second}</Heading>
            <Heading className="hide-narrow">{t.compare.catalog}</Heading>
          </>
        }
        render={(pair) => <Cells pair={pair} />}
        empty={<Empty title={t.common.nothingFound} />}
      />
    </>
  );
}

function Cells({ pair: { certname, first, second } }: { pair: Pair }) {
  const textOf = useOutcomeText();
  const versions = new Set([first, second].flatMap((one) => one?.catalogVersion ?? []));
  const outcomeOf = (host: JobHost | undefined) =>
    host === undefined ? null : <Mark tone={toneOf(host.outcome)}>{textOf(host.outcome ?? 'open')}</Mark>;
  return (
    <>
      <Cell className="mono">
        <Link to="/hosts/$certname" params={{ certname }}>
          {certname}
        </Link>
      </Cell>
      <Cell>{outcomeOf(first)}</Cell>
      <Cell>{outcomeOf(second)}</Cell>
      <Cell className="mono dim hide-narrow">{[...versions].join(' → ')}</Cell>
    </>
  );
}

function sorted(first: readonly JobHost[], second: readonly JobHost[]): Record<Kind, Pair[]> {
  const later = new Map(second.map((host) => [host.certname, host]));
  const earlier = new Set(first.map(({ certname }) => certname));
  const pairs: Pair[] = [
    ...first.map((host) => ({ certname: host.certname, first: host, second: later.get(host.certname) })),
    ...second
      .filter(({ certname }) => !earlier.has(certname))
      .map((host) => ({ certname: host.certname, first: undefined, second: host })),
  ];
  const kinds: Record<Kind, Pair[]> = { different: [], same: [], onlyFirst: [], onlySecond: [] };
  for (const pair of pairs) kinds[kindOf(pair)].push(pair);
  return kinds;
}

function kindOf({ first, second }: Pair): Kind {
  if (second === undefined) return 'onlyFirst';
  if (first === undefined) return 'onlySecond';
  return first.outcome === second.outcome ? 'same' : 'different';
}
