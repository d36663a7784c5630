/** PuppetDB as what the choice of hosts asks: questions in, certnames out. */
import { KickError } from '../errors.ts';
import { isCertname } from '../protocol/names.ts';
import type { Clock } from '../util/clock.ts';
import { clip } from '../util/text.ts';
import type { NodeDatabase } from './host-sources.ts';
import { activeNodes, byClass, byFacts, byLast, factOf, factPath } from './pql.ts';
import type { PuppetDb, Row } from './puppetdb.ts';

/** Names in one question: PuppetDB's parser is slow with very long ones. */
const BATCH = 1000;

export function nodeDatabase(puppetDb: PuppetDb, clock: Clock): NodeDatabase {
  const certnames = async (pql: string) => certnamesOf(await puppetDb.query(pql), pql);
  return {
    byQuery: certnames,
    byFacts: (conditions) => certnames(byFacts(conditions)),
    byClass: (name) => certnames(byClass(name)),
    byLast: (question) => certnames(byLast(question, clock.now())),
    active: () => certnames(activeNodes()),
    async factOf(path, wanted) {
      const found = new Map<string, string>();
      const column = factPath(path);
      for (let from = 0; from < wanted.length; from += BATCH) {
        const rows = await puppetDb.query(factOf(path, wanted.slice(from, from + BATCH)));
        for (const row of rows) {
          const { certname } = row;
          const value = row[column];
          if (typeof certname === 'string' && typeof value === 'string') found.set(certname, value);
        }
      }
      return found;
    },
  };
}

function certnamesOf(rows: readonly Row[], pql: string): string[] {
  const names = new Set<string>();
  for (const { certname } of rows) {
    if (typeof certname === 'string' && isCertname(certname)) names.add(certname);
    else {
      const what =
        certname === undefined ? 'rows without a certname' : `"${clip(String(certname), 80)}", no certname`;
      throw new KickError('puppetdb', `ask PuppetDB: the answer has ${what}\n  ${clip(pql, 300)}`, {
        hint: 'begin it like this: inventory[certname]{ … } or nodes[certname]{ … }',
      });
    }
  }
  return [...names];
}
