/** A host of a job: what changed on it, and its log. */
import { Drawer } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type HostDetail, jobHostQuery } from '../api/queries.ts';
import { Problem } from '../parts/states.tsx';
import { Time } from '../parts/time.tsx';
import { useText } from '../text/language.tsx';
import { HostLog } from './host-log.tsx';
import type { Row } from './job-store.ts';
import { Resources } from './resources.tsx';
import { RowState } from './row-state.tsx';

interface DrawerProps {
  job: string;
  /** Undefined: the drawer is closed. */
  row: Row | undefined;
  onClose(): void;
}

export function HostDrawer({ job, row, onClose }: DrawerProps) {
  const { t } = useText();
  const title = <span className="mono">{row?.certname}</span>;
  return (
    <Drawer
      opened={row !== undefined}
      onClose={onClose}
      position="right"
      size={640}
      title={title}
      closeButtonProps={{ 'aria-label': t.common.close }}
    >
      {row !== undefined && <Content job={job} row={row} />}
    </Drawer>
  );
}

function Content({ job, row }: { job: string; row: Row }) {
  const { t, f } = useText();
  const { certname, outcome, message, startedAt, endedAt } = row;
  const { data, error } = useQuery(jobHostQuery(job, certname, outcome !== undefined));
  return (
    <div className="stack">
      <div className="row wrap apart">
        <RowState row={row} />
        <Link to="/hosts/$certname" params={{ certname }} className="small">
          {t.job.hostPage} →
        </Link>
      </div>
      {message !== undefined && <p>{message}</p>}
      <dl className="facts">
        <dt>{t.job.started}</dt>
        <dd>
          <Time at={startedAt} />
          {startedAt !== undefined && endedAt !== undefined && (
            <span className="dim"> · {t.job.took(f.span(endedAt - startedAt))}</span>
          )}
        </dd>
        {row.version !== undefined && (
          <>
            <dt>{t.job.catalog}</dt>
            <dd className="mono">{row.version}</dd>
          </>
        )}
      </dl>
      <Problem error={error} />
      {data !== undefined && <Detail detail={data} />}
    </div>
  );
}

function Detail({ detail }: { detail: HostDetail }) {
  const { t } = useText();
  const { resources, moreResources, log } = detail;
  return (
    <>
      {resources.length > 0 && (
        <section>
          <h2>{t.job.changed}</h2>
          <Resources resources={resources} more={moreResources} />
        </section>
      )}
      <HostLog log={log} />
    </>
  );
}
