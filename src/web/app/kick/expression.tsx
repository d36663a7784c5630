/** The expression that says which hosts, with what could follow beneath it while one writes. */
import { TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, useId, useMemo, useState } from 'react';
import { groupsQuery, knownQuery } from '../api/queries.ts';
import { useText } from '../text/language.tsx';
import { completed, type Suggestion, suggestionsFor } from './completion.ts';

const MONO = { fontFamily: 'var(--mantine-font-family-monospace)' };

interface ExpressionProps {
  value: string;
  onChange(value: string): void;
  error: string | undefined;
}

export function Expression({ value, onChange, error }: ExpressionProps) {
  const { t } = useText();
  const list = useId();
  const follow = useFollow(value, onChange);
  const { suggestions, active } = follow;
  const isOpen = suggestions.length > 0;
  return (
    <div className="expression">
      <TextInput
        label={t.kick.expression}
        description={t.kick.expressionHint}
        value={value}
        onChange={(event) => {
          follow.open();
          onChange(event.currentTarget.value);
        }}
        onKeyDown={follow.onKeyDown}
        onBlur={follow.close}
        error={error}
        styles={{ input: MONO, error: MONO }}
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        autoFocus
        data-search
        role="combobox"
        aria-autocomplete="list"
        aria-expanded={isOpen}
        aria-controls={isOpen ? list : undefined}
        aria-activedescendant={active === undefined ? undefined : `${list}-${active}`}
      />
      {isOpen && (
        <div id={list} className="options" role="listbox" aria-label={t.kick.follow}>
          {suggestions.map((one, index) => (
            <div
              key={one.word}
              id={`${list}-${index}`}
              role="option"
              aria-selected={index === active}
              className="option mono"
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => follow.take(one)}
            >
              {one.word}
            </div>
          ))}
        </div>
      )}
    </div>
  );
}

function useFollow(value: string, onChange: (value: string) => void) {
  const groups = useQuery(groupsQuery).data?.groups ?? [];
  const { data: hosts = [] } = useQuery(knownQuery);
  const [isOpen, setOpen] = useState(false);
  const [wanted, setActive] = useState<number>();
  const names = useMemo(() => groups.map(({ name }) => name), [groups]);
  const suggestions = useMemo(
    () => (isOpen ? suggestionsFor(value, { groups: names, hosts }) : []),
    [isOpen, value, names, hosts],
  );
  const active = wanted === undefined || wanted >= suggestions.length ? undefined : wanted;
  const close = () => {
    setOpen(false);
    setActive(undefined);
  };
  const take = (one: Suggestion) => {
    onChange(completed(value, one));
    close();
  };
  const move = (by: number) => {
    const from = active ?? (by > 0 ? -1 : suggestions.length);
    setActive((from + by + suggestions.length) % suggestions.length);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (suggestions.length === 0) return;
    const chosen = suggestions[active ?? -1];
    // A group is completed at once; Tab leaves the field otherwise, unless one was chosen.
    const [first] = suggestions;
    const meant = chosen ?? (event.key === 'Tab' && first?.kind === 'group' ? first : undefined);
    if (event.key === 'ArrowDown') move(1);
    else if (event.key === 'ArrowUp') move(-1);
    else if (event.key === 'Escape') close();
    else if (['Enter', 'Tab'].includes(event.key) && isPlain(event) && meant !== undefined) take(meant);
    else return;
    event.preventDefault();
  };
  const open = () => {
    setOpen(true);
    setActive(undefined);
  };
  return { suggestions, active, open, close, take, onKeyDown };
}

function isPlain({ shiftKey, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
  return !(shiftKey || ctrlKey || metaKey || altKey);
}
