/** What a job is, where it stands, and what can be done about it. */
import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { call } from '../api/client.ts';
import type { Job } from '../api/queries.ts';
import { Mark } from '../parts/outcome.tsx';
import { Problem } from '../parts/states.tsx';
import { Time } from '../parts/time.tsx';
import { mayRun, useMe } from '../shell/shell.tsx';
import { useText } from '../text/language.tsx';
import { NOT_DONE, type Tone } from '../theme/outcomes.ts';
import type { JobView } from './job-store.ts';
import { NotifySwitch } from './notify-switch.tsx';
import { RolloutLine } from './progress.tsx';

interface HeadProps {
  job: Job;
  view: JobView;
}

export function JobHead({ job, view }: HeadProps) {
  const { t, f } = useText();
  const orders = useOrders(job);
  const isNoop = job.action['noop'] === true;
  return (
    <div className="stack">
      <div className="page-head">
        <div className="grow">
          <h1>
            {isNoop ? t.job.noop : t.job.run} · {t.common.hosts(job.hosts, f.number(job.hosts))}
          </h1>
          <div className="row wrap dim small">
            <JobState job={job} />
            <span className="mono">{job.id.slice(-8)}</span>
            <span>{t.job.by(job.by.user)}</span>
            <Time at={job.startedAt} />
            {job.by.reason !== undefined && <span>“{job.by.reason}”</span>}
          </div>
        </div>
        <Orders job={job} view={view} orders={orders} />
      </div>
      <RolloutLine view={view} />
      <Question job={job} orders={orders} />
      {job.stopped !== undefined && (
        <div className="note warning">{t.job.stops[job.stopped] ?? job.stopped}</div>
      )}
      {job.state === 'died' && <div className="note warning">{t.job.died}</div>}
      <Problem error={orders.error} />
    </div>
  );
}

function JobState({ job }: { job: Job }) {
  const { t } = useText();
  const isWell = job.exit === 0;
  const tone: Tone =
    job.state === 'running' ? 'live' : job.state === 'done' ? (isWell ? 'ok' : 'failed') : 'held';
  const word = job.state === 'done' ? (isWell ? t.job.allWell : t.job.notAllWell) : t.job.states[job.state];
  return <Mark tone={tone}>{word}</Mark>;
}

function useOrders({ id: job }: Job) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const params = { job };
  const onSuccess = () => queries.invalidateQueries({ queryKey: ['job', job] });
  const stop = useMutation({
    mutationFn: () => call('post /jobs/{job}/stop', { params, body: {} }),
    onSuccess,
  });
  const cancel = useMutation({
    mutationFn: () => call('post /jobs/{job}/cancel', { params, body: {} }),
    onSuccess,
  });
  const resume = useMutation({
    mutationFn: () => call('post /jobs/{job}/resume', { params, body: {} }),
    onSuccess,
  });
  const answer = useMutation({
    mutationFn: (goOn: boolean) => call('post /jobs/{job}/confirm', { params, body: { goOn } }),
    onSuccess,
  });
  const rerun = useMutation({
    mutationFn: () => call('post /jobs/{job}/rerun', { params, body: {} }),
    onSuccess: ({ job: next }) =>
      next !== undefined && navigate({ to: '/jobs/$job', params: { job: next }, search: {} }),
  });
  const all = { stop, cancel, resume, answer, rerun };
  return { ...all, error: Object.values(all).find(({ error }) => error !== null)?.error ?? null };
}

type OrdersOfJob = ReturnType<typeof useOrders>;

function Orders({ job, view, orders }: HeadProps & { orders: OrdersOfJob }) {
  const { t, f } = useText();
  const isAllowed = mayRun(useMe());
  if (!isAllowed) return null;
  if (job.state === 'running') {
    return (
      <div className="row wrap">
        <NotifySwitch job={job} view={view} />
        <Button
          variant="default"
          title={t.job.stopHint}
          loading={orders.stop.isPending}
          onClick={() => orders.stop.mutate()}
        >
          {t.job.stop}
        </Button>
        <Button
          variant="light"
          color="red"
          c="var(--bad)"
          title={t.job.cancelHint}
          loading={orders.cancel.isPending}
          onClick={() => orders.cancel.mutate()}
        >
          {t.job.cancelRun}
        </Button>
      </div>
    );
  }
  const again = NOT_DONE.reduce((sum, outcome) => sum + (view.counts[outcome] ?? 0), 0);
  const pending = view.counts['would-change'] ?? 0;
  return (
    <div className="row wrap">
      {job.state === 'died' && (
        <Button loading={orders.resume.isPending} onClick={() => orders.resume.mutate()}>
          {t.job.resume}
        </Button>
      )}
      {again > 0 && (
        <Button variant="default" loading={orders.rerun.isPending} onClick={() => orders.rerun.mutate()}>
          {t.job.rerun(f.number(again))}
        </Button>
      )}
      <Link to="/compare" search={{ b: job.id }} className="small">
        {t.compare.link}
      </Link>
      {pending > 0 && (
        <Link to="/kick" search={{ from: job.id }} className="button-link">
          {t.job.apply(f.number(pending))}
        </Link>
      )}
    </div>
  );
}

function Question({ job, orders }: { job: Job; orders: OrdersOfJob }) {
  const { t } = useText();
  const isAllowed = mayRun(useMe());
  if (job.question === undefined || job.state !== 'running') return null;
  return (
    <div className="note row wrap apart" role="status">
      <span>{job.question}</span>
      {isAllowed && (
        <span className="row">
          <Button
            size="compact-sm"
            loading={orders.answer.isPending}
            onClick={() => orders.answer.mutate(true)}
          >
            {t.job.goOn}
          </Button>
          <Button size="compact-sm" variant="default" onClick={() => orders.answer.mutate(false)}>
            {t.job.endHere}
          </Button>
        </span>
      )}
    </div>
  );
}
