/** What became of drift in a run: it may have been repaired, only found, or beyond repair. */
import type { Drift } from '../../protocol/event.ts';
import { type Block, changedBlocks } from './report-blocks.ts';

/** Reads the resources of a report with a corrective change; undefined if no resource mentions one. */
export async function driftIn(path: string): Promise<Drift | undefined> {
  const ends = new Set<'repaired' | 'found'>();
  for await (const block of changedBlocks(path)) {
    if (block.flags.has('corrective_change')) for (const end of endsOf(block)) ends.add(end);
  }
  if (ends.size === 2) return 'partly';
  return [...ends][0];
}

/** Judges by events, since a failed resource may have repaired another property; else by the resource's status. */
function endsOf({ events, flags }: Block): ('repaired' | 'found')[] {
  const corrective = events
    .split(/^ {4}-/m)
    .filter((event) => /^ {6}corrective_change: true$/m.test(event))
    .map((event) => (/^ {6}status: success$/m.test(event) ? 'repaired' : 'found'));
  if (corrective.length > 0) return corrective;
  const isFailed = flags.has('failed') || flags.has('failed_to_restart');
  return [flags.has('changed') && !isFailed ? 'repaired' : 'found'];
}
