/** Who did what, when, from where, and with which result. */
import { Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { call, type Reply } from '../api/client.ts';
import { Problem } from '../parts/states.tsx';
import { Time } from '../parts/time.tsx';
import type { Text } from '../text/en.ts';
import { useText } from '../text/language.tsx';
import { actOf } from './act.ts';

export function AuditPage() {
  const { t } = useText();
  const audit = useInfiniteQuery({
    queryKey: ['audit'],
    queryFn: ({ pageParam, signal }) =>
      call('get /audit', { query: pageParam === '' ? {} : { cursor: pageParam } }, { signal }),
    initialPageParam: '',
    getNextPageParam: ({ next }) => next,
  });
  const lines = audit.data?.pages.flatMap((page) => page.lines) ?? [];
  return (
    <div className="page">
      <h1>{t.admin.audit}</h1>
      <Problem error={audit.error} />
      <section className="card scroll">
        <table className="simple">
          <thead>
            <tr>
              <th>{t.admin.when}</th>
              <th>{t.admin.who}</th>
              <th>{t.admin.action}</th>
              <th>{t.admin.result}</th>
              <th className="hide-narrow">{t.admin.from}</th>
            </tr>
          </thead>
          <tbody>
            {lines.map((line, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: lines have no name but their place
              <Line key={index} line={line} />
            ))}
          </tbody>
        </table>
      </section>
      {audit.hasNextPage && (
        <div>
          <Button variant="default" onClick={() => void audit.fetchNextPage()}>
            {t.common.more}
          </Button>
        </div>
      )}
    </div>
  );
}

const DRY_RUN = /^(\d+) hosts?, dry run$/;
const HOSTS = /^(\d+) hosts?(, dry run)?$/;

/** Counts of hosts in the reader's language, the rest as the log has it. */
function detailOf(detail: string, { common }: Text): string {
  const [, count] = HOSTS.exec(detail) ?? [];
  return count === undefined ? detail : common.hosts(Number(count), count);
}

function Line({ line }: { line: Reply<'get /audit'>['lines'][number] }) {
  const { t } = useText();
  const { at, who, via, address, what, status, detail, job } = line;
  const short = what.replace(' /api/v1', ' ');
  const act = detail !== undefined && DRY_RUN.test(detail) ? t.kick.preview : actOf(short, t);
  return (
    <tr>
      <td>
        <Time at={at} />
      </td>
      <td>{who}</td>
      <td>
        {act === undefined ? '' : `${act} `}
        <span className={act === undefined ? 'mono small' : 'mono small dim hide-narrow'}>{short}</span>
        <span className="small">
          {detail !== undefined && <span className="dim"> · {detailOf(detail, t)}</span>}
          {job !== undefined && (
            <>
              <span className="dim"> · </span>
              <Link to="/jobs/$job" params={{ job }}>
                {t.job.title(job.slice(-8))}
              </Link>
            </>
          )}
        </span>
      </td>
      <td className="number">
        <span className={status >= 400 ? 'bad' : ''}>{status}</span>
      </td>
      <td className="dim small hide-narrow">{[via, address].filter(Boolean).join(' · ')}</td>
    </tr>
  );
}
