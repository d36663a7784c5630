/** Fleet: what hosts are doing, and orders to them. */
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { ChoiceWish } from '../../api/choice.ts';
import { fleetQuery, knownQuery } from '../api/queries.ts';
import { words } from '../kick/order.ts';
import { FilterInput } from '../parts/filter-input.tsx';
import { Empty, Problem, Warnings } from '../parts/states.tsx';
import { Tabs } from '../parts/tabs.tsx';
import { usePageKeys } from '../parts/use-page-keys.ts';
import { useText } from '../text/language.tsx';
import { Doctor } from './doctor.tsx';
import { FleetTable } from './fleet-table.tsx';
import { type FleetRow, rowOf, toneOfState, versionOf } from './host-rows.ts';
import { Orders } from './orders.tsx';
import { Summary } from './summary.tsx';

type Search = { tab?: string; hosts?: string; state?: string; name?: string; version?: string };
type SetSearch = (change: { [Name in keyof Search]?: string | undefined }) => void;

export function FleetPage() {
  const { t } = useText();
  const search: Search = useSearch({ from: '/fleet' });
  const navigate = useNavigate();
  usePageKeys();
  const set: SetSearch = (change) => {
    const all = Object.entries({ ...search, ...change });
    const kept = Object.fromEntries(all.filter(([, value]) => value !== undefined && value !== ''));
    void navigate({ to: '/fleet', search: kept, replace: true });
  };
  const { hosts = '' } = search;
  const { data: known } = useQuery(knownQuery);
  const isNone = known?.length === 0 && hosts === '';
  const choice = useMemo<ChoiceWish>(() => {
    const named = words(hosts);
    return named.length === 0 ? { all: true } : { hosts: named };
  }, [hosts]);
  const tab = search.tab === 'summary' || search.tab === 'doctor' ? search.tab : 'status';
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t.fleet.title}</h1>
        <FilterInput
          w={280}
          aria-label={t.kick.expression}
          placeholder={t.fleet.choiceHint}
          value={search.hosts ?? ''}
          onFilter={(value) => set({ hosts: value })}
        />
      </div>
      <section className="card">
        <Tabs
          label={t.fleet.title}
          value={tab}
          onChange={(value) => set({ tab: value === 'status' ? undefined : value })}
          tabs={[
            ['status', t.fleet.tabs.status],
            ['summary', t.fleet.tabs.summary],
            ['doctor', t.fleet.tabs.doctor],
          ]}
        />
        {isNone && <Empty title={t.fleet.emptyTitle} hint={t.fleet.emptyHint} />}
        {!isNone && tab === 'status' && <Status choice={choice} search={search} set={set} />}
        {!isNone && tab === 'summary' && <Summary choice={choice} hosts={search.hosts} />}
        {!isNone && tab === 'doctor' && <Doctor choice={choice} />}
      </section>
    </div>
  );
}

/** Beside the states: a host that is idle may be overdue. */
const OVERDUE = 'overdue';

function chipsOf(counts: Readonly<Record<string, number>>, rows: readonly FleetRow[]): [string, number][] {
  return [...Object.entries(counts), [OVERDUE, rows.filter(({ overdue }) => overdue !== undefined).length]];
}

function matches(row: FleetRow, { state, name = '', version }: Search): boolean {
  const isState = state === OVERDUE ? row.overdue !== undefined : state === undefined || state === row.state;
  const isVersion = version === undefined || version === versionOf(row);
  return isState && isVersion && row.certname.includes(name.toLowerCase());
}

interface StatusProps {
  choice: ChoiceWish;
  search: Search;
  set: SetSearch;
}

function Status({ choice, search, set }: StatusProps) {
  const { t, f } = useText();
  const { data, error, isFetching, refetch } = useQuery(fleetQuery(choice));
  const [selected, setSelected] = useState<readonly string[]>([]);
  const rows = useMemo(() => data?.hosts.map(rowOf) ?? [], [data]);
  const shown = useMemo(() => rows.filter((row) => matches(row, search)), [rows, search]);
  if (data === undefined) {
    return error === null ? <Empty title={`${t.common.loading}…`} /> : <Problem error={error} />;
  }
  return (
    <div aria-busy={isFetching}>
      <div className="search">
        <FilterInput
          aria-label={t.common.search}
          placeholder={`${t.common.search}  /`}
          value={search.name ?? ''}
          onFilter={(name) => set({ name })}
          data-search
        />
        <div className="chips">
          {chipsOf(data.counts, rows).map(
            ([state, count]) =>
              (count > 0 || search.state === state) && (
                <button
                  key={state}
                  type="button"
                  className="chip"
                  aria-pressed={search.state === state}
                  onClick={() => set({ state: search.state === state ? undefined : state })}
                >
                  <span className="tone" data-tone={toneOfState(state)}>
                    {state === OVERDUE ? t.fleet.overdue : (t.fleet.states[state] ?? state)}
                  </span>
                  <b>{f.number(count)}</b>
                </button>
              ),
          )}
        </div>
        {search.version !== undefined && (
          <button
            type="button"
            className="chip"
            aria-pressed
            title={t.common.clearFilter}
            onClick={() => set({ version: undefined })}
          >
            {t.fleet.version} <span className="mono">{search.version}</span> ×
          </button>
        )}
        {data.waiting > 0 && <span className="dim small">{t.fleet.waiting(f.number(data.waiting))}</span>}
      </div>
      <Problem error={error} />
      <Warnings texts={data.warnings} />
      <Orders selected={selected} onDone={() => void refetch()} />
      <FleetTable rows={shown} selected={selected} onSelect={setSelected} isEmpty={rows.length === 0} />
    </div>
  );
}
