/** The bar: how much of a job is done, how fast, and how long the rest will take if that can be known. */
import { isSuccess } from '../protocol/outcome.ts';
import { formatDuration } from '../util/duration.ts';
import { dimmer, painter } from './paint.ts';
import type { Progress } from './progress.ts';
import { timeLeft } from './time-left.ts';

const LEAST_CELLS = 10;
const MOST_CELLS = 40;

/** A rate of fewer hosts, or of a shorter time, is chance. */
const LEAST_ENDED = 5;
const LEAST_MS = 5000;

export interface BarLook {
  columns: number;
  color: boolean;
  now: number;
}

/** `  ████████░░░░░░░░  52%  49 of 94 hosts  41 hosts/min  about 1m 05s left`, as much of it as fits. */
export function barRow(progress: Progress, { columns, color, now }: BarLook): string {
  const total = progress.job?.targets.length ?? 0;
  // Of one width: what stands behind it does not move.
  const percent = `${Math.floor((progress.done / Math.max(1, total)) * 100)}%`.padStart(4);
  const done = `${progress.done} of ${total}`;
  const [rate, left] = [rateText(progress, now), leftText(progress, now)];
  // What is dropped first stands last.
  const texts = [
    [percent, `${done} hosts`, rate, left],
    [percent, `${done} hosts`, left],
    [percent, done, left],
    [percent, done],
    [percent],
  ].map((facts) => facts.filter((fact) => fact !== '').join('  '));
  const text = texts.find((one) => columns - one.length - 3 >= LEAST_CELLS);
  if (text === undefined) return percent.trim().slice(0, columns);
  const cells = Math.min(MOST_CELLS, columns - text.length - 3);
  return `  ${barOf(progress, { cells, total, color })} ${text}`;
}

function barOf(
  { done, counts }: Progress,
  { cells, total, color }: { cells: number; total: number; color: boolean },
): string {
  const full = total === 0 ? 0 : Math.floor((done / total) * cells);
  let bad = 0;
  for (const [outcome, count] of counts) if (!isSuccess(outcome)) bad += count;
  // One bad host of many is seen, too.
  const badCells = bad === 0 || done === 0 ? 0 : Math.min(full, Math.max(1, Math.round((bad / done) * full)));
  const paint = painter(color);
  const good = paint('unchanged', '█'.repeat(full - badCells));
  return `${good}${paint('failed', '█'.repeat(badCells))}${dimmer(color)('░'.repeat(cells - full))}`;
}

function rateText({ pace, startedAt }: Progress, now: number): string {
  const { ended, perMinute } = pace.now(now);
  if (ended < LEAST_ENDED || now - startedAt < LEAST_MS || perMinute === 0) return '';
  return `${perMinute < 9.95 ? perMinute.toFixed(1) : Math.round(perMinute)} hosts/min`;
}

function leftText(progress: Progress, now: number): string {
  if (progress.done >= (progress.job?.targets.length ?? 0)) return '';
  const left = timeLeft(progress, now);
  if (left === undefined) return '';
  if ('ms' in left) return `about ${formatDuration(Math.max(1000, left.ms))} left`;
  return left.unknown === 'early' ? 'time left not known yet' : 'time left not known';
}
