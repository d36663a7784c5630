/** `kick doctor` for people: hosts with the same finding stand together, the worst first. */
import type { AgentStatus } from '../protocol/status.ts';
import { plural, safeText } from '../util/text.ts';
import { daysOf, type Finding, type Level } from './doctor-findings.ts';
import { holderOf } from './words.ts';

export interface Patient {
  certname: string;
  findings: readonly Finding[];
  /** It did not answer: all that is known. */
  isSilent?: true;
  /** What it told, whether or not anything is wrong with it. */
  vitals?: Vitals;
}

export interface Vitals {
  /** Versions. */
  kick: string;
  puppet?: string;
  /** Milliseconds: its clock before ours. */
  clockAheadMs: number;
  /** Milliseconds until the end; negative: since. */
  certificateMsLeft?: number;
  crlMsLeft?: number;
  /** Who holds Puppet's lock, as a sentence; absent: nobody. */
  lock?: string;
}

/** From an agent's answer; `now` is our clock at the middle of the question. */
export function vitalsOf(status: AgentStatus, now: number): Vitals {
  const { version, puppetVersion, time, running, doctor: { certificateEnds, crlEnds } = {} } = status;
  return {
    kick: version,
    ...(puppetVersion !== undefined && { puppet: puppetVersion }),
    clockAheadMs: Math.round(time - now),
    ...(certificateEnds !== undefined && { certificateMsLeft: certificateEnds - time }),
    ...(crlEnds !== undefined && { crlMsLeft: crlEnds - time }),
    ...(running !== undefined && { lock: `held by ${holderOf(running)}` }),
  };
}

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
  const tail = [...vitalLines(patients), `${plural(patients.length, 'host')}: ${counts.join(', ')}`];
  return `${[...lines, ...tail].join('\n')}\n`;
}

/** Versions, and whose certificate and CRL end first. */
function vitalLines(patients: readonly Patient[]): string[] {
  const known = patients.flatMap(({ certname, vitals }) =>
    vitals === undefined ? [] : [{ certname, ...vitals }],
  );
  if (known.length === 0) return [];
  const first = (what: string, left: (one: Vitals) => number | undefined) => {
    const ends = known.flatMap((one) => ({
      ms: left(one) ?? Number.POSITIVE_INFINITY,
      certname: one.certname,
    }));
    const { ms, certname } = ends.reduce((a, b) => (b.ms < a.ms ? b : a));
    if (!Number.isFinite(ms) || ms <= 0) return [];
    return [`the first ${what} to end is that of ${certname}, in ${daysOf(ms)}`];
  };
  const puppets = known.flatMap(({ puppet }) => puppet ?? []);
  return [
    `kick ${countsOf(known.map(({ kick }) => kick))}${puppets.length > 0 ? `; Puppet ${countsOf(puppets)}` : ''}`,
    ...first('certificate', ({ certificateMsLeft }) => certificateMsLeft),
    ...first('CRL', ({ crlMsLeft }) => crlMsLeft),
  ].map(safeText);
}

/** `7.23.0 on 28, 8.1.0 on 2`, the most first. */
function countsOf(versions: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const version of versions) counts.set(version, (counts.get(version) ?? 0) + 1);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, NAMED)
    .map(([version, count]) => `${version} on ${count}`)
    .join(', ');
}

function named(hosts: readonly string[]): string {
  const more = hosts.length > NAMED ? ` and ${hosts.length - NAMED} more` : '';
  return `${hosts.slice(0, NAMED).join(', ')}${more}`;
}
