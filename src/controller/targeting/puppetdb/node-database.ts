/** PuppetDB as what the choice of hosts asks: questions in, certnames and values of facts out. */

import { type FactPath, valueAt } from '../../../conditions/fact-condition.ts';
import { KickError } from '../../../errors.ts';
import { isCertname } from '../../../protocol/names.ts';
import type { Clock } from '../../../util/clock.ts';
import { clip } from '../../../util/text.ts';
import type { HostCount, NodeDatabase } from '../host-sources.ts';
import { type Warn, warnOfNames } from '../warn.ts';
import type { Row } from './answer.ts';
import type { PuppetDb } from './client.ts';
import {
  activeNodes,
  byClass,
  byLast,
  classesOf,
  classesOfAll,
  factColumn,
  factColumns,
  nodeStates,
  wholeFact,
} from './pql.ts';

/** Names in one question: PuppetDB's parser is slow with very long ones, and then all hosts are asked for. */
const MAX_NAMES = 1000;

export interface NodeDatabaseOptions {
  clock: Clock;
  warn: Warn;
}

export function nodeDatabase(puppetDb: PuppetDb, { clock, warn }: NodeDatabaseOptions): NodeDatabase {
  /** Names that no agent can have are left out, each reported once. */
  const reported = new Set<string>();

  const certnames = async (pql: string) => namesOf(await puppetDb.query(pql), pql);

  function namesOf(rows: readonly Row[], pql: string): string[] {
    const names = new Set<string>();
    const odd = new Set<string>();
    for (const { certname } of rows) {
      if (typeof certname !== 'string') throw withoutCertname(certname, pql);
      if (isCertname(certname)) names.add(certname);
      else if (!reported.has(certname)) odd.add(certname);
    }
    for (const name of odd) reported.add(name);
    warnOfNames(warn, "PuppetDB's answer", [...odd]);
    return [...names];
  }

  /** Adds the values of one question at these places of the hosts' lists. */
  async function addValues(pql: string, readers: readonly Reader[], found: Map<string, unknown[]>) {
    const rows = await puppetDb.query(pql);
    const known = new Set(namesOf(rows, pql));
    for (const row of rows) {
      const certname = String(row['certname']);
      if (!known.has(certname)) continue;
      const values = found.get(certname) ?? [];
      found.set(certname, values);
      for (const { at, column, rest } of readers) values[at] = valueAt(row[column], rest);
    }
  }

  async function factValues(paths: readonly FactPath[], wanted?: readonly string[]) {
    const among = wanted !== undefined && wanted.length <= MAX_NAMES ? wanted : undefined;
    const found = new Map<string, unknown[]>();
    const columns: Reader[] = [];
    for (const [at, path] of paths.entries()) {
      const plain = factColumn(path);
      if (plain !== undefined) columns.push({ at, ...plain });
      else {
        const [name = '', ...rest] = path;
        await addValues(wholeFact(String(name), among), [{ at, column: 'value', rest }], found);
      }
    }
    // Every host with facts is in the answer, with null for what it does not have.
    const names = [...new Set(columns.map(({ column }) => column))];
    await addValues(factColumns(names, among), columns, found);
    return found;
  }

  return {
    byQuery: certnames,
    byClass: (name) => certnames(byClass(name)),
    byLast: (question) => certnames(byLast(question, clock.now())),
    active: () => certnames(activeNodes()),
    factValues,
    countBy: (wanted) => countBy(puppetDb, wanted),
  };
}

async function countBy(puppetDb: PuppetDb, wanted: readonly string[]): Promise<HostCount[]> {
  const among = new Set(wanted);
  // With few hosts the questions name them.
  const few = wanted.length <= MAX_NAMES ? wanted : undefined;
  const nodes = await puppetDb.query(nodeStates(few));
  const mine = nodes.filter(({ certname }) => among.has(String(certname)));
  const classes = await puppetDb.query(few === undefined ? classesOfAll() : classesOf(few));
  const ofClasses = classes.flatMap(({ title, count }) =>
    typeof title === 'string' && typeof count === 'number' ? [{ value: title, hosts: count }] : [],
  );
  return [
    { name: 'environment', kind: 'environment', values: counted(mine, 'report_environment') },
    { name: 'last', kind: 'last', values: counted(mine, 'latest_report_status') },
    { name: 'class', kind: 'class', values: ofClasses },
  ];
}

function counted(rows: readonly Row[], column: string): { value: string; hosts: number }[] {
  const counts = new Map<string, number>();
  for (const { [column]: value } of rows) {
    if (typeof value === 'string') counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts].map(([value, hosts]) => ({ value, hosts }));
}

/** Where in the list of a host's values one goes, and how it is read from a row. */
interface Reader {
  at: number;
  column: string;
  rest: FactPath;
}

function withoutCertname(certname: unknown, pql: string): KickError {
  const what =
    certname === undefined
      ? 'rows without a certname'
      : `${clip(JSON.stringify(certname), 80)} where a certname should be`;
  return new KickError('puppetdb', `ask PuppetDB: the answer has ${what}\n  ${clip(pql, 300)}`, {
    hint: 'begin it like this: inventory[certname]{ … } or nodes[certname]{ … }',
  });
}
