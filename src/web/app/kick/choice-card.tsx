/** Which hosts: an expression, or all, narrowed by what is known of them. */
import { Button, Checkbox, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, useState } from 'react';
import type { ChoiceWish } from '../../api/choice.ts';
import { ApiError } from '../api/client.ts';
import { groupsQuery } from '../api/queries.ts';
import { useText } from '../text/language.tsx';
import { Facets } from './facets.tsx';
import { LAST_RUNS, type Looked, type Order, type SetOrder, words } from './order.ts';

const MONO = { fontFamily: 'var(--mantine-font-family-monospace)' };

interface CardProps {
  order: Order;
  set: SetOrder;
  /** Of the last try to find the hosts. */
  error: Error | null;
}

export function ChoiceCard({ order, set, error, choice }: CardProps & { choice: ChoiceWish | undefined }) {
  const { t } = useText();
  const isNarrowed = [order.exclude, order.facts, order.classes, order.limit, order.reported].some(Boolean);
  const [isOpen, setOpen] = useState(isNarrowed);
  return (
    <section className="card padded stack" aria-labelledby="which">
      <h2 id="which">{t.kick.which}</h2>
      <Expression order={order} set={set} error={error} />
      <Groups order={order} set={set} />
      <div className="row wrap">
        <Checkbox
          label={t.kick.all}
          checked={order.all}
          onChange={(event) => set({ all: event.currentTarget.checked, unticked: [] })}
        />
        {!isOpen && (
          <Button variant="subtle" size="compact-sm" onClick={() => setOpen(true)}>
            {t.kick.narrow}…
          </Button>
        )}
      </div>
      <LastRuns order={order} set={set} />
      {isOpen && (
        <>
          <Facets order={order} set={set} choice={choice} />
          <Narrow order={order} set={set} error={error} />
        </>
      )}
    </section>
  );
}

function Expression({ order, set, error }: CardProps) {
  const { t } = useText();
  const { data: groups = [] } = useQuery(groupsQuery);
  const complete = (event: KeyboardEvent<HTMLInputElement>) => {
    const started = /(?:^|[\s,])@(\S+)$/.exec(order.hosts)?.[1];
    const found = groups.find(({ name }) => started !== undefined && name.startsWith(started));
    if (event.key !== 'Tab' || event.shiftKey || found === undefined || found.name === started) return;
    event.preventDefault();
    set({ hosts: `${order.hosts.slice(0, -(started?.length ?? 0))}${found.name} ` });
  };
  return (
    <TextInput
      label={t.kick.expression}
      description={t.kick.expressionHint}
      value={order.hosts}
      onChange={(event) => set({ hosts: event.currentTarget.value, unticked: [] })}
      onKeyDown={complete}
      error={errorOf(error, 'body.choice.hosts')}
      styles={{ input: MONO, error: MONO }}
      spellCheck={false}
      autoCapitalize="off"
      autoComplete="off"
      autoFocus
      data-search
    />
  );
}

function Groups({ order, set }: Pick<CardProps, 'order' | 'set'>) {
  const { t } = useText();
  const { data: groups = [] } = useQuery(groupsQuery);
  if (groups.length === 0) return null;
  const chosen = words(order.hosts);
  const toggle = (word: string) =>
    set({
      hosts: (chosen.includes(word) ? chosen.filter((one) => one !== word) : [...chosen, word]).join(' '),
      unticked: [],
    });
  return (
    <fieldset className="chips" style={{ border: 0, padding: 0, margin: 0 }} aria-label={t.kick.groups}>
      {groups.slice(0, 40).map(({ name }) => (
        <button
          key={name}
          type="button"
          className="chip mono"
          aria-pressed={chosen.includes(`@${name}`)}
          onClick={() => toggle(`@${name}`)}
        >
          @{name}
        </button>
      ))}
    </fieldset>
  );
}

function LastRuns({ order, set }: Pick<CardProps, 'order' | 'set'>) {
  const { t } = useText();
  return (
    <div className="row wrap">
      <span className="dim small">{t.kick.last}</span>
      <div className="chips">
        {LAST_RUNS.map((one) => {
          const isChosen = order.last.includes(one);
          const last = isChosen ? order.last.filter((other) => other !== one) : [...order.last, one];
          return (
            <button
              key={one}
              type="button"
              className="chip"
              aria-pressed={isChosen}
              onClick={() => set({ last, unticked: [] })}
            >
              {t.kick.lastRuns[one]}
            </button>
          );
        })}
      </div>
    </div>
  );
}

function Narrow({ order, set, error }: CardProps) {
  const { t } = useText();
  const field = (name: 'exclude' | 'facts' | 'classes' | 'limit', label: string, hint: string) => (
    <TextInput
      label={label}
      placeholder={hint}
      value={order[name]}
      onChange={(event) => set({ [name]: event.currentTarget.value, unticked: [] })}
      error={errorOf(error, `body.choice.${name}`)}
      spellCheck={false}
    />
  );
  return (
    <div className="fields">
      {field('exclude', t.kick.exclude, 'web07 @dmz')}
      {field('facts', t.kick.facts, t.kick.factsHint)}
      {field('classes', t.kick.classes, t.kick.classesHint)}
      {field('limit', t.kick.limit, t.kick.limitHint)}
    </div>
  );
}

/** What is wrong with a field; a choice that cannot be used says by its words which part of it is meant. */
function errorOf(error: Error | null, path: string): string | undefined {
  if (!(error instanceof ApiError)) return undefined;
  const { code, detail = '' } = error.problem;
  if (code !== 'bad-choice') return error.at(path);
  return fieldOf(detail) === path ? readable(detail) : undefined;
}

/** Without the name that the API has for the field: the text stands at it. */
function readable(detail: string): string {
  const said = detail.replace(/^read the hosts of (hosts|exclude)\.\d+: /, '');
  return said.charAt(0).toUpperCase() + said.slice(1);
}

function fieldOf(detail: string): string {
  if (/^(read the hosts of )?exclude/.test(detail)) return 'body.choice.exclude';
  if (/\bfact\b|condition/.test(detail)) return 'body.choice.facts';
  return 'body.choice.hosts';
}

/** Instead of the choice, where the hosts come from a look. */
export function LookedCard({ looked, onDrop }: { looked: Looked; onDrop(): void }) {
  const { t, f } = useText();
  const [version] = looked.versions;
  return (
    <section className="card padded stack">
      <h2>{t.kick.which}</h2>
      <p>{t.kick.fromJob(looked.job.slice(-8))}</p>
      {looked.versions.length === 1 && version !== undefined && (
        <div className="note">{t.kick.fromJobVersion(version)}</div>
      )}
      {looked.versions.length > 1 && (
        <div className="note warning">{t.kick.fromJobVersions(f.number(looked.versions.length))}</div>
      )}
      <div>
        <Button variant="default" size="compact-sm" onClick={onDrop}>
          {t.kick.dropFrom}
        </Button>
      </div>
    </section>
  );
}
