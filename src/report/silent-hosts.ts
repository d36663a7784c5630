/** Hosts that did not answer, as text. */

import { hostList } from '../conditions/nodeset/host-list.ts';
import { silentHosts } from '../controller/fleet/silent-hosts.ts';
import type { AgentAnswer } from '../controller/targeting/host-sources.ts';
import { plural, safeText } from '../util/text.ts';

/** Errors that are shown. */
const MAX_LINES = 20;

/** `web[1-3].example.com  port 8139 refused: …`: a line for each error. */
export function silentLines(answers: readonly AgentAnswer[]): string[] {
  const groups = silentHosts(answers);
  const lines = groups
    .slice(0, MAX_LINES)
    .map(({ certnames, error, isExample }) =>
      safeText(`${hostList(certnames)}  ${isExample ? 'e.g. ' : ''}${error}`),
    );
  const left = groups.slice(MAX_LINES).reduce((sum, { certnames }) => sum + certnames.length, 0);
  return left === 0 ? lines : [...lines, `and ${plural(left, 'host')} more, each for a reason of its own`];
}
