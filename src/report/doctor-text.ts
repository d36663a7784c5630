/** `kick doctor` for people: hosts with the same finding stand together, the worst first. */

import type { Finding, Level } from '../controller/fleet/findings.ts';
import type { Patient } from '../controller/fleet/patient.ts';
import { plural, safeText } from '../util/text.ts';
import { vitalLines } from './doctor-vitals.ts';

const RANK: Readonly<Record<Level, number>> = { problem: 0, warning: 1, remark: 2 };
const NAMED = 10;

export function doctorText(patients: readonly Patient[]): string {
  const groups = new Map<string, { finding: Finding; hosts: string[] }>();
  for (const { certname, findings } of patients) {
    for (const finding of findings) {
      const key = `${finding.level}\0${finding.what}\0${finding.next ?? ''}`;
      const group = groups.get(key) ?? { finding, hosts: [] };
      group.hosts.push(certname);
      groups.set(key, group);
    }
  }
  const sorted = [...groups.values()].sort(
    (a, b) => RANK[a.finding.level] - RANK[b.finding.level] || b.hosts.length - a.hosts.length,
  );
  const lines = sorted.flatMap(({ finding, hosts }) => [
    safeText(`${finding.level.padEnd(8)} ${finding.what}`),
    `         on ${named(hosts)}`,
    ...(finding.next === undefined ? [] : [safeText(`         do: ${finding.next}`)]),
    '',
  ]);
  const well = patients.filter(({ findings }) => findings.every(({ level }) => level === 'remark')).length;
  const count = (level: Level) =>
    patients.filter(({ findings }) => findings.some((one) => one.level === level)).length;
  const counts = [
    `${well} well`,
    ...(count('problem') > 0 ? [`${count('problem')} with problems`] : []),
    ...(count('warning') > 0 ? [`${count('warning')} with warnings`] : []),
  ];
  const vitals = patients.flatMap((one) =>
    one.vitals === undefined ? [] : [{ certname: one.certname, ...one.vitals }],
  );
  const tail = [...vitalLines(vitals), `${plural(patients.length, 'host')}: ${counts.join(', ')}`];
  return `${[...lines, ...tail].join('\n')}\n`;
}

function named(hosts: readonly string[]): string {
  const more = hosts.length > NAMED ? ` and ${hosts.length - NAMED} more` : '';
  return `${hosts.slice(0, NAMED).join(', ')}${more}`;
}
