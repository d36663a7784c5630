/** The hosts of the fleet and what they are doing. */
import { Checkbox } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { Mark } from '../parts/outcome.tsx';
import { Empty } from '../parts/states.tsx';
import { Time } from '../parts/time.tsx';
import { Cell, Heading, VirtualRows } from '../parts/virtual-rows.tsx';
import { useText } from '../text/language.tsx';
import { type FleetRow, toneOfRun, toneOfState } from './host-rows.ts';

interface TableProps {
  rows: readonly FleetRow[];
  selected: readonly string[];
  onSelect(certnames: readonly string[]): void;
  /** There is no host at all, whatever the filter. */
  isEmpty: boolean;
}

export function FleetTable({ rows, selected, onSelect, isEmpty }: TableProps) {
  const { t } = useText();
  const navigate = useNavigate();
  const chosen = new Set(selected);
  const isAll = rows.length > 0 && rows.every(({ certname }) => chosen.has(certname));
  const toggle = (certname: string) =>
    onSelect(chosen.has(certname) ? selected.filter((one) => one !== certname) : [...selected, certname]);
  return (
    <VirtualRows
      label={t.fleet.title}
      rows={rows}
      keyOf={({ certname }) => certname}
      columns="20px minmax(0, 4fr) minmax(100px, 2fr) minmax(150px, 3fr) minmax(0, 5fr)"
      narrow="20px minmax(0, 1fr) 92px"
      height={`min(calc(100dvh - 260px), ${rows.length * 36 + 37}px)`}
      onOpen={({ certname }) => void navigate({ to: '/hosts/$certname', params: { certname } })}
      head={
        <>
          <Heading>
            <Checkbox
              size="xs"
              aria-label={t.job.all}
              checked={isAll}
              indeterminate={!isAll && selected.length > 0}
              onChange={() => onSelect(isAll ? [] : rows.map(({ certname }) => certname))}
            />
          </Heading>
          <Heading>{t.common.host}</Heading>
          <Heading>{t.common.state}</Heading>
          <Heading className="hide-narrow">{t.fleet.lastRun}</Heading>
          <Heading className="hide-narrow">{t.job.message}</Heading>
        </>
      }
      render={(row) => <Cells row={row} isSelected={chosen.has(row.certname)} onToggle={toggle} />}
      empty={
        isEmpty ? (
          <Empty title={t.fleet.emptyTitle} hint={t.fleet.emptyHint} />
        ) : (
          <Empty title={t.common.nothingFound} />
        )
      }
    />
  );
}

interface CellsProps {
  row: FleetRow;
  isSelected: boolean;
  onToggle(certname: string): void;
}

function Cells({ row, isSelected, onToggle }: CellsProps) {
  const { t } = useText();
  const { certname, state, status } = row;
  return (
    <>
      <Cell>
        <Checkbox
          size="xs"
          aria-label={certname}
          checked={isSelected}
          onClick={(event) => event.stopPropagation()}
          onChange={() => onToggle(certname)}
        />
      </Cell>
      <Cell className="mono">{certname}</Cell>
      <Cell>
        <Mark tone={toneOfState(state)}>{t.fleet.states[state] ?? state}</Mark>
      </Cell>
      <Cell className="hide-narrow">
        {status?.lastRun !== undefined && (
          <span className="tone" data-tone={toneOfRun(status.lastRun.status)}>
            <Time at={status.lastRun.at} isRelative />
          </span>
        )}
        {status !== undefined && status.lastRun === undefined && (
          <span className="dim">{t.fleet.neverRun}</span>
        )}
      </Cell>
      <Cell className="dim hide-narrow">
        <Words row={row} />
      </Cell>
    </>
  );
}

/** The one thing that is to be known about a host. */
function Words({ row: { error, overdue, status } }: { row: FleetRow }) {
  const { t, f } = useText();
  if (error !== undefined) return error;
  if (overdue !== undefined) {
    return (
      <span className="warn">
        {t.fleet.overdue}: {overdue}
      </span>
    );
  }
  const { disabled, obstacle, running, lastRun } = status ?? {};
  if (obstacle !== undefined) return obstacle;
  if (disabled !== undefined) {
    const until = disabled.until === undefined ? '' : ` ${t.fleet.until(f.time(disabled.until))}`;
    return t.fleet.disabledBy(disabled.reason, disabled.by ?? 'puppet agent --disable') + until;
  }
  return running?.stuck ?? running?.what ?? lastRun?.configurationVersion ?? '';
}
