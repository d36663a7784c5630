/** Identical changes: what happened, and on which hosts. */
import { useQuery } from '@tanstack/react-query';
import { changesQuery } from '../api/queries.ts';
import { Empty, Problem } from '../parts/states.tsx';
import { useText } from '../text/language.tsx';
import { HostNames } from './host-names.tsx';
import type { JobView } from './job-store.ts';
import { Resources } from './resources.tsx';

/** Hosts that end until the groups are asked for again. */
const STEP = 25;

interface GroupsProps {
  job: string;
  view: JobView;
  onHost(certname: string): void;
}

export function ChangeGroups({ job, view, onHost }: GroupsProps) {
  const { t, f } = useText();
  const revision = view.isOver ? view.done : Math.floor(view.done / STEP);
  const { data: groups, error } = useQuery(changesQuery(job, revision));
  if (error !== null) return <Problem error={error} />;
  if (groups === undefined) return null;
  if (groups.length === 0) return <Empty title={t.job.noChanges} />;
  return (
    <>
      {groups.map(({ resources, more, isExample, certnames }) => (
        <div key={certnames[0]} className="group stack">
          <div className="row apart">
            <b className="number">{t.common.hosts(certnames.length, f.number(certnames.length))}</b>
            {isExample && <span className="dim small">{t.job.example}</span>}
          </div>
          <Resources resources={resources} more={more} />
          <HostNames names={certnames} onHost={onHost} />
        </div>
      ))}
    </>
  );
}
