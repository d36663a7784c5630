/** A time in the reader's zone, with the one in UTC when asked. */
import { Tooltip } from '@mantine/core';
import { memo, useEffect, useState } from 'react';
import { useText } from '../text/language.tsx';
import { millisOf } from '../text/times.ts';

interface TimeProps {
  /** Of the API, or milliseconds since 1970. */
  at: string | number | undefined;
  isRelative?: boolean;
}

/** Its tooltip costs more than the rest of a row: it is drawn again only when the time is another. */
export const Time = memo(function Time({ at, isRelative = false }: TimeProps) {
  const { f } = useText();
  const now = useNow(isRelative ? 10_000 : 0);
  const ms = typeof at === 'number' ? at : millisOf(at);
  if (ms === undefined) return <span className="dim">–</span>;
  return (
    <Tooltip label={`${f.time(ms)} · ${f.utc(ms)}`}>
      <time dateTime={f.utc(ms)} className="number">
        {isRelative ? f.ago(ms, now) : f.time(ms)}
      </time>
    </Tooltip>
  );
});

/** Milliseconds since 1970, a new one every `everyMs`; 0: it stands still. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (everyMs === 0) return;
    const timer = window.setInterval(() => setNow(Date.now()), everyMs);
    return () => window.clearInterval(timer);
  }, [everyMs]);
  return now;
}
