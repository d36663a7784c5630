/** The hosts of a job: filtered and sorted as the address says. */
import { memo, useDeferredValue, useMemo } from 'react';
import { FilterInput } from '../parts/filter-input.tsx';
import { Empty } from '../parts/states.tsx';
import { Cell, Heading, VirtualRows } from '../parts/virtual-rows.tsx';
import { useText } from '../text/language.tsx';
import { OUTCOMES } from '../theme/outcomes.ts';
import type { JobSearch, SetSearch } from './job-search.ts';
import type { JobView, Row } from './job-store.ts';
import { RowState } from './row-state.tsx';

interface TableProps {
  view: JobView;
  search: JobSearch;
  set: SetSearch;
}

type Sort = 'certname' | 'outcome' | 'duration' | 'changed';

export function HostTable({ view, search, set }: TableProps) {
  const { t } = useText();
  const sort = (search.sort ?? 'certname') as Sort;
  const part = useDeferredValue((search.name ?? '').toLowerCase());
  const rows = useMemo(() => rowsOf(view, { ...search, name: part }, sort), [view, search, part, sort]);
  const sorter = (by: Sort, label: string) => (
    <button
      type="button"
      className="sort"
      data-sorted={sort === by ? '' : undefined}
      aria-label={t.common.sortBy(label)}
      onClick={() => set({ sort: by === 'certname' ? undefined : by })}
    >
      {label}
    </button>
  );
  return (
    <>
      <div className="search">
        <FilterInput
          className="grow beside"
          maw={360}
          aria-label={t.common.search}
          placeholder={`${t.common.search}  /`}
          value={search.name ?? ''}
          onFilter={(name) => set({ name })}
          data-search
        />
        <span className="dim small number">{rows.length}</span>
      </div>
      <VirtualRows
        label={t.job.tabs.hosts}
        rows={rows}
        keyOf={({ certname }) => certname}
        columns="minmax(0, 5fr) minmax(118px, 2fr) 64px 84px minmax(0, 6fr)"
        narrow="minmax(0, 1fr) 116px"
        height={`min(calc(100dvh - 200px), ${rows.length * 36 + 37}px)`}
        selected={search.host}
        onOpen={({ certname }) => set({ host: certname })}
        head={
          <>
            <Heading>{sorter('certname', t.common.host)}</Heading>
            <Heading>{sorter('outcome', t.job.outcome)}</Heading>
            <Heading className="end hide-narrow">{sorter('changed', t.job.changes)}</Heading>
            <Heading className="end hide-narrow">{sorter('duration', t.job.duration)}</Heading>
            <Heading className="hide-narrow">{t.job.message}</Heading>
          </>
        }
        render={(row) => <Cells row={row} />}
        empty={<Empty title={t.common.nothingFound} />}
      />
    </>
  );
}

/** A row is another object when there is news of it; most rows in sight have none. */
const Cells = memo(function Cells({ row }: { row: Row }) {
  const { f } = useText();
  const { certname, changed, startedAt, endedAt, message = '' } = row;
  const isTimed = startedAt !== undefined && endedAt !== undefined;
  return (
    <>
      <Cell className="mono">{certname}</Cell>
      <Cell>
        <RowState row={row} />
      </Cell>
      <Cell className="end hide-narrow">{changed === 0 ? '' : f.number(changed)}</Cell>
      <Cell className="end dim hide-narrow">{isTimed ? f.span(endedAt - startedAt) : ''}</Cell>
      <Cell className="dim hide-narrow">{message}</Cell>
    </>
  );
});

function rowsOf(view: JobView, { outcome, name = '' }: JobSearch, sort: Sort): Row[] {
  const kept = [...view.rows.values()].filter(
    (row) =>
      (outcome === undefined || (row.outcome ?? 'open') === outcome) &&
      (name === '' || row.certname.includes(name)),
  );
  return kept.sort((a, b) => SORTS[sort]?.(a, b) || (a.certname < b.certname ? -1 : 1));
}

const PLACES = new Map<string, number>(OUTCOMES.map((outcome, index) => [outcome, index]));
const placeOf = ({ outcome }: Row) => (outcome === undefined ? 99 : (PLACES.get(outcome) ?? 98));
const lengthOf = ({ startedAt, endedAt }: Row) =>
  startedAt === undefined || endedAt === undefined ? -1 : endedAt - startedAt;

const SORTS: Readonly<Record<Sort, (a: Row, b: Row) => number>> = {
  certname: () => 0,
  // What went wrong first.
  outcome: (a, b) => placeOf(b) - placeOf(a),
  duration: (a, b) => lengthOf(b) - lengthOf(a),
  changed: (a, b) => b.changed - a.changed,
};
