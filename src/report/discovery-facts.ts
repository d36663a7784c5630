/** How the hosts of a job were found, in mco's words: `Discovery: 143ms (3 of 3 expected)`. */
import type { DiscoveryNote } from '../controller/jobs/job.ts';
import { formatDuration } from '../util/duration.ts';
import { plural } from '../util/text.ts';
import { someNames } from './result-lines.ts';

/** Rows of the block at the end. */
export function discoveryFacts({ tookMs, expected, silent, ignored }: DiscoveryNote): [string, string][] {
  const of = expected === undefined ? '' : ` (${expected.answered} of ${expected.hosts} expected)`;
  const strange = ignored === 0 ? '' : `, ${plural(ignored, 'answer')} ignored`;
  return [
    ['Discovery', `${formatDuration(tookMs)}${of}${strange}`],
    ...(silent.length > 0 ? [['Silent', someNames(silent)] as [string, string]] : []),
  ];
}
