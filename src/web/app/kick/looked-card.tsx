/** Instead of the choice, where the hosts come from a look; and what is to be known about it before it is applied. */
import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useText } from '../text/language.tsx';
import type { Looked } from './order.ts';

export function LookedCard({ looked, onDrop }: { looked: Looked; onDrop(): void }) {
  const { t } = useText();
  return (
    <section className="card padded stack">
      <h2>{t.kick.which}</h2>
      <p>
        {t.kick.fromJob(t.common.hosts(looked.certnames.length, String(looked.certnames.length)))}{' '}
        <Link to="/jobs/$job" params={{ job: looked.job }}>
          {t.job.title(looked.job.slice(-8))}
        </Link>
      </p>
      <LookedNotes looked={looked} />
      <div>
        <Button variant="default" size="compact-sm" onClick={onDrop}>
          {t.kick.dropFrom}
        </Button>
      </div>
    </section>
  );
}

export function LookedNotes({ looked: { certnames, versions, newer } }: { looked: Looked }) {
  const { t, f } = useText();
  const [version] = versions;
  return (
    <>
      {newer.length > 0 && (
        <div className="note warning">
          {t.kick.fromJobNewer(
            t.common.hosts(newer.length, f.number(newer.length)),
            [...new Set(newer.map((one) => one.version))].slice(0, 3).join(', '),
          )}
          <div className="dim small mono" style={{ overflowWrap: 'anywhere' }}>
            {newer
              .slice(0, 10)
              .map(({ certname }) => certname)
              .join(' ')}
            {newer.length > 10 && ` … ${f.number(newer.length - 10)}`}
          </div>
        </div>
      )}
      {versions.length === 1 && version !== undefined && (
        <div className="note">{t.kick.fromJobVersion(version)}</div>
      )}
      {versions.length === 0 && certnames.length > 0 && <div className="note">{t.kick.fromJobNoVersion}</div>}
      {versions.length > 1 && (
        <div className="note warning">{t.kick.fromJobVersions(f.number(versions.length))}</div>
      )}
    </>
  );
}
