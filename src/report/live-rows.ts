/** The rows of the live area: the hosts that have been under way longest, a bar, and counts. Pure. */
import { holderOf } from '../controller/fleet/holder.ts';
import { OUTCOME_NAMES } from '../protocol/outcome.ts';
import { clipColumns } from '../util/columns.ts';
import { formatDuration } from '../util/duration.ts';
import { safeText } from '../util/text.ts';
import { clockTime } from '../util/times.ts';
import { barRow } from './live-bar.ts';
import { dimmer, painter } from './paint.ts';
import type { HostState, Progress } from './progress.ts';
import { fitParts, headOf, type Part } from './row.ts';
import { startsLeft } from './time-left.ts';

export interface Look {
  /** Of the window. */
  columns: number;
  rows: number;
  color: boolean;
  /** Milliseconds since 1970. */
  now: number;
}

const MAX_HOST_ROWS = 20;

/** Windows of so many rows have a blank one above the area. */
const ROOMY = 20;

/** Never wider than the window, less one column, and never higher than half of it where it has 8 rows. */
export function liveRows(progress: Progress, look: Look): string[] {
  if (progress.job === undefined) return [];
  const columns = Math.max(1, look.columns - 1);
  const status = statusRows(progress, { ...look, columns });
  const gap = look.rows >= ROOMY ? [''] : [];
  const room = Math.floor(look.rows / 2) - status.length - gap.length;
  return [
    ...gap,
    ...hostRows(progress, { ...look, columns, room, nameColumns: progress.nameColumns }),
    ...status,
  ];
}

function statusRows(progress: Progress, look: Look): string[] {
  const rows = [barRow(progress, look), outcomeRow(progress, look), stateRow(progress, look)];
  return rows.filter((row) => row !== '').slice(0, look.rows < 5 ? 1 : look.rows < 8 ? 2 : 3);
}

/** `41 unchanged  6 changed  2 failed`; empty where no host has ended. */
function outcomeRow({ counts, done }: Progress, { columns, color }: Look): string {
  if (done === 0) return '';
  const paint = painter(color);
  const parts = OUTCOME_NAMES.filter((name) => counts.has(name)).map(
    (name): Part => ({ text: `${counts.get(name)} ${name}`, paint: (text) => paint(name, text) }),
  );
  return fitParts(parts, { columns, indent: 2 });
}

function stateRow(progress: Progress, { columns, color, now }: Look): string {
  const { hosts, startedAt, isStopping, pausedUntil } = progress;
  const counted = (count: number, what: string) => (count === 0 ? [] : [{ text: `${count} ${what}` }]);
  const isPaused = pausedUntil !== undefined && Number.isFinite(pausedUntil);
  const parts: Part[] = [
    { text: sinceText(now - startedAt) },
    ...(isPaused ? [{ text: `pause until ${clockTime(pausedUntil)}` }] : []),
    ...(isStopping ? [{ text: 'stopping' }] : []),
    ...counted(hosts.running.size, 'running'),
    ...counted(hosts.waiting.size, 'waiting'),
    ...counted(hosts.asked.size, 'asked'),
    ...counted(isStopping ? 0 : startsLeft(progress), 'to start'),
    { text: 'Ctrl-C leaves Puppet running', paint: dimmer(color), isOptional: true },
  ];
  return fitParts(parts, { columns, indent: 2 });
}

/** Whole seconds: they are drawn again. */
function sinceText(ms: number): string {
  return ms < 1000 ? '0s' : formatDuration(Math.floor(ms / 1000) * 1000);
}

type HostLook = Look & { room: number; nameColumns: number };

function hostRows({ hosts }: Progress, look: HostLook): string[] {
  const total = hosts.running.size + hosts.asked.size + hosts.waiting.size;
  const most = Math.max(0, Math.min(MAX_HOST_ROWS, look.room));
  // One row less: how many more there are.
  const count = total <= most ? total : Math.max(0, most - 1);
  const shown = firstOf([hosts.running, hosts.asked, hosts.waiting], count);
  const rows = shown.map((entry) => hostRow(entry, look));
  return total > count && most > 0 ? [...rows, `  ${dimmer(look.color)(`and ${total - count} more`)}`] : rows;
}

/** The first entries of maps, one map after another. */
function firstOf(maps: readonly ReadonlyMap<string, HostState>[], count: number): [string, HostState][] {
  const found: [string, HostState][] = [];
  for (const map of maps) {
    for (const entry of map) {
      if (found.length >= count) return found;
      found.push(entry);
    }
  }
  return found;
}

function hostRow(
  [name, state]: readonly [string, HostState],
  { columns, now, nameColumns }: HostLook,
): string {
  const head = headOf(name, state.state, { columns, nameColumns, time: sinceText(now - state.since) });
  return clipColumns(`${head}  ${noteOf(state)}`.trimEnd(), columns);
}

/** Bounded before it is measured: a log line may have thousands of characters. */
const MAX_NOTE = 400;

function noteOf(state: HostState): string {
  if (state.note !== undefined) return safeText(state.note.slice(0, MAX_NOTE));
  return state.state === 'waiting' ? `for ${holderOf(state.holder)}` : '';
}
