/** A schedule: its next times, what became of the last, and what can be done about it. */
import { Button, Drawer } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { call } from '../api/client.ts';
import { type Schedule, schedulesQuery } from '../api/queries.ts';
import { Mark } from '../parts/outcome.tsx';
import { Problem } from '../parts/states.tsx';
import { Time } from '../parts/time.tsx';
import { mayRun, useMe } from '../shell/shell.tsx';
import { useText } from '../text/language.tsx';
import { actionOf, hostsOf, PASS_TONES, type Pass } from './schedule-words.ts';

interface DrawerProps {
  /** Undefined: the drawer is closed. */
  schedule: Schedule | undefined;
  onClose(): void;
  onEdit(): void;
}

export function ScheduleDrawer({ schedule, onClose, onEdit }: DrawerProps) {
  const { t } = useText();
  return (
    <Drawer
      opened={schedule !== undefined}
      onClose={onClose}
      position="right"
      size={520}
      title={<b>{schedule?.name}</b>}
      closeButtonProps={{ 'aria-label': t.common.close }}
    >
      {schedule !== undefined && (
        <div className="stack" style={{ gap: 20 }}>
          <Orders schedule={schedule} onClose={onClose} onEdit={onEdit} />
          <About schedule={schedule} />
          <Times schedule={schedule} />
        </div>
      )}
    </Drawer>
  );
}

/** An admin changes all of them, others their own; whom it does not concern is shown nothing. */
function Orders({
  schedule: { name, owner, paused },
  onClose,
  onEdit,
}: DrawerProps & { schedule: Schedule }) {
  const { t } = useText();
  const me = useMe();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [isSure, setSure] = useState(false);
  const onSuccess = () => queries.invalidateQueries({ queryKey: schedulesQuery.queryKey });
  const params = { name };
  const pause = useMutation({
    mutationFn: () => call('post /schedules/{name}/pause', { params, body: { paused: !paused } }),
    onSuccess,
  });
  const run = useMutation({
    mutationFn: () => call('post /schedules/{name}/run', { params, body: {} }),
    onSuccess: ({ job }) =>
      job === undefined ? onSuccess() : navigate({ to: '/jobs/$job', params: { job }, search: {} }),
  });
  const remove = useMutation({
    mutationFn: () => call('delete /schedules/{name}', { params }),
    onSuccess: () => {
      onClose();
      return onSuccess();
    },
  });
  if (!mayRun(me) || (me.role !== 'admin' && me.name !== owner)) return null;
  return (
    <div className="stack">
      <div className="row wrap">
        <Button size="compact-sm" loading={run.isPending} onClick={() => run.mutate()}>
          {t.schedules.runNow}
        </Button>
        <Button size="compact-sm" variant="default" loading={pause.isPending} onClick={() => pause.mutate()}>
          {paused ? t.schedules.goOn : t.schedules.pause}
        </Button>
        <Button size="compact-sm" variant="default" onClick={onEdit}>
          {t.schedules.edit}…
        </Button>
        <Button
          size="compact-sm"
          variant="light"
          color="red"
          c="var(--bad)"
          loading={remove.isPending}
          onClick={() => (isSure ? remove.mutate() : setSure(true))}
        >
          {isSure ? t.schedules.sure : `${t.schedules.remove}…`}
        </Button>
      </div>
      {run.data?.message !== undefined && <div className="note">{run.data.message}</div>}
      <Problem error={run.error ?? pause.error ?? remove.error} />
    </div>
  );
}

function About({ schedule }: { schedule: Schedule }) {
  const { t } = useText();
  const { cron, zone, owner, reason, lock, ifStillRunning, missed } = schedule;
  const rows = [
    [t.schedules.when, <span key="when" className="mono">{`${cron} · ${zone}`}</span>],
    [
      t.kick.planHosts,
      <span key="hosts" className="mono">
        {hostsOf(schedule, t)}
      </span>,
    ],
    [t.kick.planAction, actionOf(schedule, t)],
    [t.schedules.owner, owner],
    [t.common.reason, reason],
    [t.schedules.ifStillRunning, t.schedules.ifStill[ifStillRunning]],
    [t.schedules.missed, t.schedules.ifMissed[missed]],
    [t.schedules.lock, lock],
  ] as const;
  return (
    <dl className="facts">
      {rows.map(
        ([name, value]) =>
          value !== undefined && (
            <div key={name} style={{ display: 'contents' }}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

function Times({ schedule: { next, history, paused } }: { schedule: Schedule }) {
  const { t } = useText();
  return (
    <>
      <section>
        <h2>{t.schedules.nextTimes}</h2>
        {paused && <p className="dim">{t.schedules.pausedHint}</p>}
        <ul className="lines">
          {next.map((at) => (
            <li key={at} className="row apart">
              <Time at={at} />
              <span className="dim small">
                <Time at={at} isRelative />
              </span>
            </li>
          ))}
        </ul>
      </section>
      <section>
        <h2>{t.schedules.history}</h2>
        {history.length === 0 && <p className="dim">{t.schedules.noHistory}</p>}
        <ul className="lines">
          {history.slice(0, 30).map((pass) => (
            <PassLine key={`${pass.at} ${pass.job}`} pass={pass} />
          ))}
        </ul>
      </section>
    </>
  );
}

function PassLine({ pass: { at, result, job, message } }: { pass: Pass }) {
  const { t } = useText();
  return (
    <li className="row apart">
      <span>
        <Mark tone={PASS_TONES[result]}>{t.schedules.results[result]}</Mark>
        {message !== undefined && <span className="dim small"> {message}</span>}
        {job !== undefined && (
          <>
            {' '}
            <Link to="/jobs/$job" params={{ job }} className="small">
              {t.job.title(job.slice(-8))}
            </Link>
          </>
        )}
      </span>
      <span className="dim small">
        <Time at={at} />
      </span>
    </li>
  );
}
