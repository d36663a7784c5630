/** What was not understood in a file of hosts or groups, each with its lines. */

import { isBareName } from '../../conditions/nodeset/expression.ts';
import { hostList } from '../../conditions/nodeset/host-list.ts';
import type { YamlDocument } from '../../config/yaml-document.ts';
import { plural } from '../../util/text.ts';
import type { Warning } from './bolt/findings.ts';
import type { InventoryWarning } from './inventory.ts';

/** Names or ranges in a warning. */
const SHOWN = 5;

/** In the order of the lines. */
export async function withLines(
  document: YamlDocument,
  warnings: readonly Warning[],
): Promise<InventoryWarning[]> {
  const { lineOf, describe } = await document.places();
  const placed = warnings.map((warning) => {
    const { message, paths, isLoss } = warning;
    const lines = [...new Set(paths.map((path) => lineOf(path)))].sort((a, b) => a - b);
    const problem = { path: [...(paths[0] ?? [])], message: message + placesText(warning, lines) };
    const [text = ''] = describe([problem]);
    return { line: lines[0] ?? 1, warning: { text, isLoss } };
  });
  return placed.sort((a, b) => a.line - b.line).map((one) => one.warning);
}

/** `: web[1-2], db and 7 more (lines 3, 9)`, `(9 places, lines 3, 9)`. */
function placesText({ count, subjects, isLoss }: Warning, lines: readonly number[]): string {
  const named = subjects.length === 0 ? '' : `: ${subjectsText([...new Set(subjects)])}`;
  const places = subjects.length === 0 && (count > 1 || isLoss) ? [plural(count, 'place')] : [];
  const all = [...places, ...(lines.length > 1 ? [`lines ${lines.join(', ')}`] : [])].join(', ');
  return all === '' ? named : `${named} (${all})`;
}

/** What is no name of a host (`docker://web1`, `a&b`) stands as it is written. */
function subjectsText(subjects: readonly string[]): string {
  if (subjects.every(isBareName)) return hostList(subjects, { most: SHOWN });
  const more = subjects.length > SHOWN ? ` and ${subjects.length - SHOWN} more` : '';
  return `${subjects.slice(0, SHOWN).join(', ')}${more}`;
}
