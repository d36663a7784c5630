/** The last run of a fixed command, which leaves no report: as the agent has stored it. */
import { readdir } from 'node:fs/promises';
import type { FinishedEvent } from '../../protocol/event.ts';
import type { LastRun } from '../../protocol/status.ts';
import type { RunStore } from './run-store.ts';

/** Runs that are looked at: the latest may have been cancelled, or have no readable end. */
const MOST = 5;

/** `folder`: that of settled runs. What it returns never rejects; undefined: none is known. */
export function createLastOwnRun(
  folder: string,
  runs: Pick<RunStore, 'endOf'>,
): () => Promise<LastRun | undefined> {
  let known: { latest: string; found: LastRun | undefined } | undefined;
  return async () => {
    // Names are UUIDv7 and so sort by time.
    const names = (await readdir(folder).catch(() => [])).sort().slice(-MOST).reverse();
    const [latest = ''] = names;
    if (known?.latest === latest) return known.found;
    const found = await firstOf(names, runs);
    known = { latest, found };
    return found;
  };
}

async function firstOf(
  names: readonly string[],
  runs: Pick<RunStore, 'endOf'>,
): Promise<LastRun | undefined> {
  for (const name of names) {
    const end = await runs.endOf(name).catch(() => undefined);
    const found = end === undefined ? undefined : lastRunOf(end.last);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A run that was cut short has not done what it should; one that somebody cancelled says nothing of the host. */
function lastRunOf({ outcome, startedAt }: FinishedEvent): LastRun | undefined {
  if (startedAt === undefined) return undefined;
  switch (outcome) {
    case 'changed':
    case 'unchanged':
    case 'failed':
      return { status: outcome, at: startedAt };
    case 'timed-out':
    case 'interrupted':
      return { status: 'failed', at: startedAt };
    default:
      return undefined;
  }
}
