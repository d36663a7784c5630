/** Which hosts: an expression, or all, narrowed by what is known of them. */
import { Button, Checkbox, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ChoiceWish } from '../../api/choice.ts';
import { ApiError } from '../api/client.ts';
import { groupsQuery } from '../api/queries.ts';
import { useText } from '../text/language.tsx';
import { Expression } from './expression.tsx';
import { Facets } from './facets.tsx';
import { LAST_RUNS, type Order, type SetOrder, words } from './order.ts';

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
  const canDiscover = useQuery(groupsQuery).data?.discovery === true;
  return (
    <section className="card padded stack" aria-labelledby="which">
      <h2 id="which">{t.kick.which}</h2>
      <Expression
        value={order.hosts}
        onChange={(hosts) => set({ hosts, unticked: [] })}
        error={errorOf(error, 'body.choice.hosts')}
      />
      <Groups order={order} set={set} />
      <div className="row wrap" style={{ columnGap: 16 }}>
        <Checkbox
          label={t.kick.all}
          checked={order.all}
          onChange={(event) => set({ all: event.currentTarget.checked, unticked: [] })}
        />
        {canDiscover && (
          <Checkbox
            label={t.kick.discover}
            title={t.kick.discoverHint}
            checked={order.discover}
            onChange={(event) => set({ discover: event.currentTarget.checked, unticked: [] })}
          />
        )}
        {!isOpen && (
          <Button variant="subtle" size="compact-sm" c="var(--ink)" onClick={() => setOpen(true)}>
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

function Groups({ order, set }: Pick<CardProps, 'order' | 'set'>) {
  const { t } = useText();
  const groups = useQuery(groupsQuery).data?.groups ?? [];
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
