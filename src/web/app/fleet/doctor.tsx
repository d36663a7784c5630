/** What will go wrong on hosts, those with the same finding together. */
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { ChoiceWish } from '../../api/choice.ts';
import { call } from '../api/client.ts';
import { HostNames } from '../job/host-names.tsx';
import { Empty, Problem, Warnings } from '../parts/states.tsx';
import { useText } from '../text/language.tsx';
import type { Tone } from '../theme/outcomes.ts';

export interface Finding {
  level: 'problem' | 'warning' | 'remark';
  what: string;
  next?: string;
}

const TONES: Readonly<Record<Finding['level'], Tone>> = {
  problem: 'failed',
  warning: 'missing',
  remark: 'open',
};
const LEVELS = Object.keys(TONES) as Finding['level'][];

const doctorQuery = (choice: ChoiceWish) => ({
  queryKey: ['doctor', choice],
  queryFn: async ({ signal }: { signal: AbortSignal }) => {
    const { hosts, warnings } = await call('post /fleet/doctor', { body: { choice } }, { signal });
    const found = hosts.map((host) => ({ ...host, findings: host.findings as unknown as Finding[] }));
    return { hosts: found, warnings };
  },
});

export function Doctor({ choice }: { choice: ChoiceWish }) {
  const { t, f } = useText();
  const navigate = useNavigate();
  const { data, error } = useQuery(doctorQuery(choice));
  if (error !== null) return <Problem error={error} />;
  if (data === undefined) return <Empty title={`${t.common.loading}…`} />;
  const groups = new Map<string, { finding: Finding; names: string[] }>();
  for (const { certname, findings } of data.hosts) {
    for (const finding of findings) {
      const key = `${finding.level} ${finding.what.replaceAll(certname, '…').replaceAll(/\d+/g, '#')}`;
      const group = groups.get(key) ?? { finding, names: [] };
      group.names.push(certname);
      groups.set(key, group);
    }
  }
  const sorted = [...groups.values()].sort(
    (a, b) =>
      LEVELS.indexOf(a.finding.level) - LEVELS.indexOf(b.finding.level) || b.names.length - a.names.length,
  );
  return (
    <>
      <Warnings texts={data.warnings} />
      {sorted.length === 0 && <Empty title={t.fleet.doctorWell} />}
      {sorted.map(({ finding, names }) => (
        <div key={`${finding.level} ${names[0]} ${finding.what}`} className="group stack" style={{ gap: 8 }}>
          <div className="row apart" style={{ alignItems: 'baseline' }}>
            <FindingLine finding={finding} />
            <b className="number">{t.common.hosts(names.length, f.number(names.length))}</b>
          </div>
          <HostNames
            names={names}
            onHost={(certname) => void navigate({ to: '/hosts/$certname', params: { certname } })}
          />
        </div>
      ))}
    </>
  );
}

export function FindingLine({ finding: { level, what, next } }: { finding: Finding }) {
  return (
    <div className="grow">
      <div className="row" data-tone={TONES[level]}>
        <span className="dot" />
        <span style={{ overflowWrap: 'anywhere' }}>{what}</span>
      </div>
      {next !== undefined && (
        <div className="dim small" style={{ paddingLeft: 17 }}>
          {next}
        </div>
      )}
    </div>
  );
}
