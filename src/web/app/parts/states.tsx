/** What is shown where there is nothing else to show. */
import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { ApiError } from '../api/client.ts';
import { useText } from '../text/language.tsx';

interface EmptyProps {
  title: string;
  hint?: string;
  children?: ReactNode;
}

export function Empty({ title, hint, children }: EmptyProps) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {hint !== undefined && <p>{hint}</p>}
      {children}
    </div>
  );
}

/** What went wrong, in the server's words, with its hint and the fields. */
export function Problem({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useText();
  if (error === null || error === undefined) return null;
  const problem = error instanceof ApiError ? error.problem : undefined;
  const detail =
    problem?.code === 'offline' ? t.common.offline : (problem?.detail ?? problem?.title ?? String(error));
  return (
    <div className="note error" role="alert">
      <div>{detail}</div>
      {problem?.hint !== undefined && <div className="dim small">{problem.hint}</div>}
      {retry !== undefined && (
        <Button size="compact-xs" variant="default" mt={6} onClick={retry}>
          {t.common.reload}
        </Button>
      )}
    </div>
  );
}

/** What is to be known about the hosts that were chosen. */
export function Warnings({ texts }: { texts: readonly string[] }) {
  return texts.map((text) => (
    <div key={text} className="note warning" style={{ margin: '8px 12px 0' }}>
      {text}
    </div>
  ));
}

export function NotFound() {
  const { t } = useText();
  return (
    <div className="page">
      <Empty title={t.common.notFound} hint={t.common.notFoundHint}>
        <Link to="/jobs">{t.nav.jobs}</Link>
      </Empty>
    </div>
  );
}

export function RouteError({ error }: { error: unknown }) {
  return (
    <div className="page">
      <Problem error={error} retry={() => location.reload()} />
    </div>
  );
}
