/** The log of a run, with a search and the least level that is shown. */
import { NativeSelect, TextInput } from '@mantine/core';
import { type ReactNode, useDeferredValue, useMemo, useState } from 'react';
import type { HostDetail } from '../api/queries.ts';
import { useText } from '../text/language.tsx';

type Line = HostDetail['log'][number];
type Least = 'all' | 'notice' | 'warning' | 'err';

const RANKS: Readonly<Record<Line['level'], number>> = {
  debug: 0,
  info: 1,
  output: 1,
  notice: 2,
  warning: 3,
  err: 4,
  alert: 4,
  crit: 4,
  emerg: 4,
};
const LEAST: Readonly<Record<Least, number>> = { all: 0, notice: 2, warning: 3, err: 4 };

/** Lines that are drawn at once; the search finds the others. */
const DRAWN = 2000;

export function HostLog({ log }: { log: readonly Line[] }) {
  const { t } = useText();
  const [search, setSearch] = useState('');
  const [least, setLeast] = useState<Least>('all');
  const part = useDeferredValue(search.trim().toLowerCase());
  const lines = useMemo(
    () =>
      log.filter(
        ({ level, message }) => RANKS[level] >= LEAST[least] && message.toLowerCase().includes(part),
      ),
    [log, least, part],
  );
  return (
    <section className="stack" style={{ gap: 8 }}>
      <div className="row">
        <h2 style={{ flex: 1 }}>{t.job.log}</h2>
        <TextInput
          size="xs"
          miw={0}
          style={{ flex: '0 1 172px' }}
          aria-label={t.job.logSearch}
          placeholder={t.job.logSearch}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
        <NativeSelect
          size="xs"
          style={{ flex: '0 1 128px' }}
          aria-label={t.job.level}
          value={least}
          onChange={(event) => setLeast(event.currentTarget.value as Least)}
          data={(Object.keys(LEAST) as Least[]).map((value) => ({ value, label: t.job.levels[value] }))}
        />
      </div>
      {lines.length === 0 ? (
        <p className="dim">{log.length === 0 ? t.job.noLog : t.job.noLogMatch}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
        <section className="log" tabIndex={0} aria-label={t.job.log}>
          {lines.slice(-DRAWN).map((line, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines have no name but their place
            <div key={index} data-level={line.level}>
              {line.source !== undefined && <span className="source">{line.source}: </span>}
              <Message text={line.message} part={part} />
            </div>
          ))}
        </section>
      )}
    </section>
  );
}

/** Puppet prints what changes in a file as one message of many lines. */
const DIFF = /^@@ .* @@/m;

function Message({ text, part }: { text: string; part: string }) {
  if (!DIFF.test(text)) return marked(text, part);
  return text
    .replace(/^\n/, '')
    .split('\n')
    .map((line, index) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: lines have no name but their place
      <div key={index} className={kindOf(line)}>
        {marked(line, part)}
      </div>
    ));
}

function kindOf(line: string): string | undefined {
  if (/^(\+\+\+|---) /.test(line)) return 'dim';
  if (line.startsWith('@@ ')) return 'place';
  if (line.startsWith('+')) return 'added';
  return line.startsWith('-') ? 'removed' : undefined;
}

function marked(text: string, part: string): ReactNode {
  const at = part === '' ? -1 : text.toLowerCase().indexOf(part);
  if (at < 0) return text;
  return (
    <>
      {text.slice(0, at)}
      <mark>{text.slice(at, at + part.length)}</mark>
      {text.slice(at + part.length)}
    </>
  );
}
