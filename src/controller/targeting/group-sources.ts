/** What stands behind groups that no file lists: programs and queries, each asked once. */
import { KickError, messageOf } from '../../errors.ts';
import { clip } from '../../util/text.ts';
import type { HostSources } from './host-sources.ts';
import { withoutComment } from './nodes-file.ts';
import { parseExpression, type Term } from './nodeset/expression.ts';
import { MAX_NAMES } from './nodeset/range.ts';
import { withoutOddNames } from './odd-names.ts';
import { type Warn, warnOfNames } from './warn.ts';

export interface GroupSources {
  /** The expressions that a group's program prints. */
  byCommand(group: string, argv: readonly string[]): Promise<readonly (readonly Term[])[]>;
  byQuery(group: string, pql: string): Promise<readonly string[]>;
}

/** Every method throws `KickError` `inventory` that names the group. */
export function createGroupSources({ sources, warn }: { sources: HostSources; warn: Warn }): GroupSources {
  const commands = new Map<string, ReturnType<GroupSources['byCommand']>>();
  const queries = new Map<string, Promise<readonly string[]>>();

  async function run(group: string, argv: readonly string[]): Promise<Term[][]> {
    const [program = ''] = argv;
    const doing = `look up the group "${group}" with ${program}`;
    let output: string;
    try {
      output = await sources.outputOf(argv);
    } catch (error) {
      throw new KickError('inventory', `${doing}: ${messageOf(error)}`, {
        hint: `try it by hand: ${clip(argv.join(' '), 200)}`,
        cause: error,
      });
    }
    const { lines, odd } = linesOf(output, program);
    warnOfNames(warn, `the group "${group}", what ${program} printed`, odd);
    if (countOf(lines) > MAX_NAMES) {
      throw new KickError('inventory', `${doing}: it named more than ${MAX_NAMES} hosts`);
    }
    return lines;
  }

  async function ask(group: string, pql: string): Promise<readonly string[]> {
    if (sources.database !== undefined) return sources.database.byQuery(pql);
    throw new KickError(
      'inventory',
      `look up the group "${group}": it is a query, and there is no PuppetDB`,
      {
        hint: 'controller.yaml, puppetdb: {urls: [https://puppetdb.example.com:8081]}',
      },
    );
  }

  return {
    byCommand: (group, argv) => once(commands, JSON.stringify([group, argv]), () => run(group, argv)),
    byQuery: (group, pql) => once(queries, pql, () => ask(group, pql)),
  };
}

/** What a program printed, a line an expression. Throws `KickError` for a line that is none. */
function linesOf(output: string, program: string): { lines: Term[][]; odd: string[] } {
  const lines: Term[][] = [];
  const odd = new Set<string>();
  for (const [index, line] of output.split('\n').entries()) {
    const { text, odd: oddHere } = withoutOddNames(withoutComment(line));
    for (const name of oddHere) odd.add(name);
    if (text !== '') lines.push(parseExpression(text, `line ${index + 1} of what ${program} printed`));
  }
  return { lines, odd: [...odd] };
}

/** Names in all of them: groups and masks count as one. */
function countOf(lines: readonly (readonly Term[])[]): number {
  const namesIn = ({ parts }: Term) =>
    parts.reduce((count, part) => count * (typeof part === 'string' ? 1 : part.length), 1);
  return lines.flat().reduce((count, term) => count + namesIn(term), 0);
}

function once<T>(before: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const known = before.get(key);
  if (known !== undefined) return known;
  const made = make();
  before.set(key, made);
  return made;
}
