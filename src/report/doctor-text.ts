/** `kick doctor` for people: hosts with the same finding stand together, the worst first. */

import { hostList } from '../conditions/nodeset/host-list.ts';
import type { Level } from '../controller/fleet/finding.ts';
import { findingGroups } from '../controller/fleet/finding-groups.ts';
import type { Patient } from '../controller/fleet/patient.ts';
import { plural, safeText } from '../util/text.ts';
import { vitalLines } from './doctor-vitals.ts';

export function doctorText(patients: readonly Patient[]): string {
  const lines = findingGroups(patients).flatMap(({ level, what, next, isExample, certnames }) => [
    safeText(`${level.padEnd(8)} ${isExample ? 'e.g. ' : ''}${what}`),
    `         on ${hostList(certnames)}`,
    ...(next === undefined ? [] : [safeText(`         do: ${next}`)]),
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
