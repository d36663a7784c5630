/** Schedules: when they come next, and what became of their last times. */
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type Schedule, schedulesQuery } from '../api/queries.ts';
import { Mark } from '../parts/outcome.tsx';
import { Empty, Problem } from '../parts/states.tsx';
import { Time } from '../parts/time.tsx';
import { usePageKeys } from '../parts/use-page-keys.ts';
import { Cell, Heading, VirtualRows } from '../parts/virtual-rows.tsx';
import { mayRun, useMe } from '../shell/shell.tsx';
import { useText } from '../text/language.tsx';
import { ScheduleDrawer } from './schedule-drawer.tsx';
import { ScheduleForm } from './schedule-form.tsx';
import { actionOf, hostsOf, PASS_TONES } from './schedule-words.ts';

/** In the address, instead of a name: no name of a schedule begins like this. */
const NEW = '+';

export function SchedulesPage() {
  const { t } = useText();
  const { name, edit } = useSearch({ from: '/schedules' });
  const navigate = useNavigate();
  usePageKeys();
  const { data: schedules, error } = useQuery(schedulesQuery);
  const isAllowed = mayRun(useMe());
  const go = (search: { name?: string; edit?: string }) => void navigate({ to: '/schedules', search });
  const chosen = schedules?.find((one) => one.name === name);
  return (
    <div className="page">
      <div className="page-head">
        <div className="grow">
          <h1>{t.schedules.title}</h1>
          <p className="dim">{t.schedules.hint}</p>
        </div>
        {isAllowed && <Button onClick={() => go({ edit: NEW })}>{t.schedules.make}</Button>}
      </div>
      <Problem error={error} />
      {schedules !== undefined && (
        <section className="card">
          <Table schedules={schedules} selected={name} onOpen={(one) => go({ name: one.name })} />
        </section>
      )}
      <ScheduleDrawer
        schedule={edit === undefined ? chosen : undefined}
        onClose={() => go({})}
        onEdit={() => go({ ...(name !== undefined && { name }), edit: 'yes' })}
      />
      {edit !== undefined && (edit === NEW || chosen !== undefined) && (
        <ScheduleForm
          schedule={edit === NEW ? undefined : chosen}
          onClose={() => go(edit === NEW || name === undefined ? {} : { name })}
          onDone={(made) => go({ name: made })}
        />
      )}
    </div>
  );
}

interface TableProps {
  schedules: readonly Schedule[];
  selected: string | undefined;
  onOpen(schedule: Schedule): void;
}

function Table({ schedules, selected, onOpen }: TableProps) {
  const { t } = useText();
  return (
    <VirtualRows
      label={t.schedules.title}
      rows={schedules}
      keyOf={({ name }) => name}
      columns="minmax(0, 4fr) minmax(0, 4fr) minmax(0, 4fr) minmax(0, 5fr) minmax(110px, 3fr) minmax(120px, 3fr)"
      narrow="minmax(0, 1fr) 110px"
      height={`min(calc(100dvh - 220px), ${schedules.length * 36 + 37}px)`}
      selected={selected}
      onOpen={onOpen}
      head={
        <>
          <Heading>{t.schedules.name}</Heading>
          <Heading className="hide-narrow">{t.schedules.when}</Heading>
          <Heading className="hide-narrow">{t.kick.planHosts}</Heading>
          <Heading className="hide-narrow">{t.kick.planAction}</Heading>
          <Heading>{t.schedules.next}</Heading>
          <Heading className="hide-narrow">{t.schedules.last}</Heading>
        </>
      }
      render={(one) => <Cells schedule={one} />}
      empty={
        <Empty title={t.schedules.emptyTitle} hint={t.schedules.emptyHint}>
          <Link to="/kick">{t.jobs.start}</Link>
        </Empty>
      }
    />
  );
}

function Cells({ schedule }: { schedule: Schedule }) {
  const { t } = useText();
  const { name, cron, zone, paused, next, history } = schedule;
  const [last] = history;
  return (
    <>
      <Cell className={paused ? 'dim' : ''}>{name}</Cell>
      <Cell className="hide-narrow">
        <span className="mono">{cron}</span> <span className="dim small">{zone}</span>
      </Cell>
      <Cell className="hide-narrow">{hostsOf(schedule, t)}</Cell>
      <Cell className="dim hide-narrow">{actionOf(schedule, t)}</Cell>
      <Cell>
        {paused ? <span className="dim">{t.schedules.paused}</span> : <Time at={next[0]} isRelative />}
      </Cell>
      <Cell className="hide-narrow">
        {last === undefined ? (
          <span className="dim">{t.admin.never}</span>
        ) : (
          <Mark tone={PASS_TONES[last.result]}>{t.schedules.results[last.result]}</Mark>
        )}
      </Cell>
    </>
  );
}
