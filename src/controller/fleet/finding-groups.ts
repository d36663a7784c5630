/** What `kick doctor` found, each with the hosts that have it: the worst first, then what most have. */
import type { Finding, Level } from './finding.ts';
import { groupAlike } from './group-alike.ts';
import { inGeneral } from './in-general.ts';
import type { Patient } from './patient.ts';

export interface FindingGroup extends Finding {
  /** The others differ in a time, an address, …: it is what the first host says. */
  isExample: boolean;
  certnames: readonly string[];
}

const RANK: Readonly<Record<Level, number>> = { problem: 0, warning: 1, remark: 2 };

export function findingGroups(patients: readonly Patient[]): FindingGroup[] {
  const all = patients.flatMap(({ certname, findings }) =>
    findings.map((finding) => ({ certname, finding })),
  );
  return groupAlike(all, ({ certname, finding: { level, what, next = '' } }) => {
    const names = [certname];
    return { kind: `${level}\0${inGeneral(next, names)}`, text: what, names };
  })
    .map(({ items, isExample }) => ({
      ...items[0].finding,
      isExample,
      certnames: items.map(({ certname }) => certname),
    }))
    .sort((a, b) => RANK[a.level] - RANK[b.level] || b.certnames.length - a.certnames.length);
}
