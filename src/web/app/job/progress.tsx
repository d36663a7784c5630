/** How fast a job goes, how long it will take, and where its rollout stands. */
import type { Job } from '../api/queries.ts';
import { useNow } from '../parts/time.tsx';
import { useText } from '../text/language.tsx';
import { millisOf } from '../text/times.ts';
import type { JobView } from './job-store.ts';

export function Progress({ job, view }: { job: Job | undefined; view: JobView }) {
  const { t, f } = useText();
  const isRunning = job?.state === 'running';
  const now = useNow(isRunning ? 1000 : 0);
  if (job === undefined) return null;
  const started = millisOf(job.startedAt) ?? now;
  const words = [t.job.progress(f.number(view.done), f.number(job.hosts))];
  const ended = millisOf(job.endedAt);
  if (isRunning) words.push(f.span(now - started));
  if (ended !== undefined) words.push(t.job.took(f.span(ended - started)));
  const rate = isRunning ? rateOf(view, now, started) : 0;
  if (rate > 0) {
    words.push(t.job.rate(f.number(Math.round(rate * 60_000))));
    words.push(t.job.left(f.span((job.hosts - view.done) / rate)));
  }
  return <span className="dim number">{words.join(' · ')}</span>;
}

/** Hosts that ended in a millisecond, over the last minute. */
function rateOf(view: JobView, now: number, started: number): number {
  const recent = view.recent.filter((at) => at > now - 60_000).length;
  const since = Math.min(60_000, now - started);
  return recent < 3 || since < 2000 ? 0 : recent / since;
}

export function RolloutLine({ view }: { view: JobView }) {
  const { t, f } = useText();
  const { batch, pause, window: size, stopping } = view.rollout;
  const now = useNow(pause?.until === undefined ? 0 : 1000);
  if (view.isOver || [batch, pause, size, stopping].every((one) => one === undefined)) return null;
  const left = (pause?.until ?? 0) - now;
  return (
    <div className="steps">
      {batch !== undefined && (
        <span className="step" data-now>
          {batch.isCanary ? `${t.job.canary} · ` : ''}
          {t.job.batch(batch.number, batch.of)} · {t.common.hosts(batch.hosts, f.number(batch.hosts))}
        </span>
      )}
      {left > 0 && <span className="step">{t.job.paused(f.span(left))}</span>}
      {size !== undefined && (
        <span className="step" title={size.why}>
          {t.job.window(f.number(size.size))}
        </span>
      )}
      {stopping !== undefined && <span className="step">{stopping.message}</span>}
    </div>
  );
}
