/** A host of a job: what changed on it, and its log. */
import { Drawer } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { FinishedEvent } from '../../../protocol/event.ts';
import { type HostDetail, hostStatusQuery, jobHostQuery } from '../api/queries.ts';
import { rowOf } from '../fleet/host-rows.ts';
import { countsOf, Facts } from '../parts/facts.tsx';
import { RunTimes } from '../parts/run-times.tsx';
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
  const { facts } = (data?.run ?? {}) as Partial<FinishedEvent>;
  return (
    <div className="stack">
      <div className="row wrap apart">
        <RowState row={row} />
        <Link to="/hosts/$certname" params={{ certname }} className="small">
          {t.job.hostPage} →
        </Link>
      </div>
      {message !== undefined && <p>{message}</p>}
      <Facts
        rows={[
          [
            t.job.started,
            <span key="at">
              <Time at={startedAt} />
              {startedAt !== undefined && endedAt !== undefined && (
                <span className="dim"> · {t.job.took(f.span(endedAt - startedAt))}</span>
              )}
            </span>,
          ],
          [t.kick.environment, facts?.environment],
          [t.job.catalog, row.version],
          [t.host.resources, countsOf(facts?.resources, t)],
        ]}
      />
      <Problem error={error} />
      {data !== undefined && <Detail detail={data} />}
      {startedAt !== undefined && endedAt !== undefined && (
        <Times certname={certname} startedAt={startedAt} endedAt={endedAt} />
      )}
    </div>
  );
}

interface TimesProps {
  certname: string;
  startedAt: number;
  endedAt: number;
}

/** Clocks of host and controller differ a little. */
const CLOCKS_MS = 2000;

/** An agent knows the times of its latest run only. */
function Times({ certname, startedAt, endedAt }: TimesProps) {
  const { data } = useQuery(hostStatusQuery(certname));
  const run = data ? rowOf(data).status?.lastRun : undefined;
  const isIt = run !== undefined && run.at >= startedAt - CLOCKS_MS && run.at <= endedAt + CLOCKS_MS;
  return isIt ? <RunTimes times={run.times} /> : null;
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
