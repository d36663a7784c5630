/** The programs and queries behind groups, each run once. */

import { wholeAllowance } from '../../conditions/nodeset/allowance.ts';
import { parseExpression, type Term } from '../../conditions/nodeset/expression.ts';
import { isUntrusted, KickError, messageOf } from '../../errors.ts';
import { linesIn } from '../../util/lines.ts';
import { clip } from '../../util/text.ts';
import type { HostSources } from './host-sources.ts';
import { withoutComment } from './nodes-file.ts';
import { withoutOddNames } from './odd-names.ts';
import { type Warn, warnOfNames } from './warn.ts';

export interface GroupSources {
  /** The expressions that a group's program prints. */
  byCommand(group: string, argv: readonly string[]): Promise<readonly (readonly Term[])[]>;
  byQuery(group: string, pql: string): Promise<readonly string[]>;
}

/** Every method may throw `KickError` `inventory`, naming the group. */
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
      const code = isUntrusted(error) ? error.code : 'inventory';
      const byHand = `try it by hand: ${clip(argv.join(' '), 200)}`;
      throw new KickError(code, `${doing}: ${messageOf(error)}`, {
        hint: isUntrusted(error) ? (error.hint ?? byHand) : byHand,
        cause: error,
      });
    }
    const { lines, odd } = expressionsIn(output, program);
    warnOfNames(warn, `the group "${group}", what ${program} printed`, odd);
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

/** Parses what a program printed, one expression per line. Throws `KickError` for a line that is none, and for too many names. */
export function expressionsIn(output: string, program: string): { lines: Term[][]; odd: string[] } {
  const lines: Term[][] = [];
  const odd = new Set<string>();
  const allowance = wholeAllowance();
  let number = 0;
  for (const line of linesIn(output)) {
    number += 1;
    const { text, odd: oddHere } = withoutOddNames(withoutComment(line));
    for (const name of oddHere) odd.add(name);
    if (text === '') continue;
    lines.push(parseExpression(text, `line ${number} of what ${program} printed`, allowance));
  }
  return { lines, odd: [...odd] };
}

function once<T>(before: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const known = before.get(key);
  if (known !== undefined) return known;
  const made = make();
  before.set(key, made);
  return made;
}
