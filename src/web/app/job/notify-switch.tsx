/** A notification of the browser when a job ends, for whoever wants one. */
import { Checkbox } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { Job } from '../api/queries.ts';
import { useOutcomeText } from '../parts/outcome.tsx';
import { useText } from '../text/language.tsx';
import type { JobView } from './job-store.ts';

export function NotifySwitch({ job, view }: { job: Job; view: JobView }) {
  const { t, f } = useText();
  const textOf = useOutcomeText();
  // Asked once: the browser asks another process each time, and a job draws several times a second.
  const [isPossible] = useState(() => 'Notification' in window && Notification.permission !== 'denied');
  const [isWanted, setWanted] = useState(false);
  const counts = Object.entries(view.counts).filter(([, count]) => count > 0);
  const words = counts.map(([outcome, count]) => `${f.number(count)} ${textOf(outcome)}`).join(', ');
  const message = view.isOver ? t.job.ended(words) : undefined;
  useEffect(() => {
    if (!isWanted || message === undefined) return;
    new Notification('kick', { body: message, tag: job.id });
    setWanted(false);
  }, [isWanted, message, job.id]);
  if (!isPossible) return null;
  const ask = async (wanted: boolean) =>
    setWanted(wanted && (await Notification.requestPermission()) === 'granted');
  return (
    <Checkbox
      className="hide-narrow"
      label={t.job.notify}
      checked={isWanted}
      onChange={(event) => void ask(event.currentTarget.checked)}
    />
  );
}
