/** Hosts that did not do as asked, those alike together: by outcome and by what it says, names and numbers aside. */
import { useMemo } from 'react';
import { Mark, useOutcomeText } from '../parts/outcome.tsx';
import { Empty } from '../parts/states.tsx';
import { useText } from '../text/language.tsx';
import { NOT_DONE, toneOf } from '../theme/outcomes.ts';
import { HostNames } from './host-names.tsx';
import type { JobView, Row } from './job-store.ts';

interface Alike {
  outcome: string;
  message: string;
  certnames: string[];
}

export function FailureGroups({ view, onHost }: { view: JobView; onHost(certname: string): void }) {
  const { t, f } = useText();
  const textOf = useOutcomeText();
  const groups = useMemo(() => alike(view), [view]);
  if (groups.length === 0) return <Empty title={t.job.noFailures} />;
  return (
    <>
      {groups.map(({ outcome, message, certnames }) => (
        <div key={certnames[0]} className="group stack">
          <div className="row apart">
            <Mark tone={toneOf(outcome)}>{textOf(outcome)}</Mark>
            <b className="number">{t.common.hosts(certnames.length, f.number(certnames.length))}</b>
          </div>
          {message !== '' && <p style={{ overflowWrap: 'anywhere' }}>{message}</p>}
          <HostNames names={certnames} onHost={onHost} />
        </div>
      ))}
    </>
  );
}

function alike(view: JobView): Alike[] {
  const groups = new Map<string, Alike>();
  for (const row of view.rows.values()) {
    const { outcome, certname, message = '' } = row;
    if (outcome === undefined || !NOT_DONE.some((one) => one === outcome)) continue;
    const key = `${outcome} ${inGeneral(row)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { outcome, message, certnames: [certname] });
    else group.certnames.push(certname);
  }
  return [...groups.values()].sort((a, b) => b.certnames.length - a.certnames.length);
}

function inGeneral({ certname, message = '' }: Row): string {
  return message.replaceAll(certname, '…').replaceAll(/\d+/g, '#');
}
