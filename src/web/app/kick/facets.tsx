/** What the chosen hosts have in common, counted; a click narrows the choice to a value, or widens it again. */
import { useQuery } from '@tanstack/react-query';
import type { ChoiceWish } from '../../api/choice.ts';
import { facetsQuery, type Resolved } from '../api/queries.ts';
import { useText } from '../text/language.tsx';
import { type Order, type SetOrder, words } from './order.ts';

type Facet = NonNullable<Resolved['facets']>[number];

interface FacetsProps {
  order: Order;
  set: SetOrder;
  /** Undefined: nothing is chosen yet, and all hosts are counted. */
  choice: ChoiceWish | undefined;
}

/** What a word of the choice can hold. */
const WORD = /^[^\s,[\]"']+$/;
const SHOWN = 12;

export function Facets({ order, set, choice }: FacetsProps) {
  const { t, f } = useText();
  const { data: facets = [] } = useQuery(facetsQuery(choice));
  // The latest run has chips of its own.
  const usable = facets.filter(({ kind }) => kind !== 'last');
  if (usable.length === 0) return null;
  return (
    <div className="stack" style={{ gap: 8 }}>
      <span className="dim small">{t.kick.facets}</span>
      <div className="facets small">
        {usable.map((facet) => (
          <Row key={`${facet.kind} ${facet.name}`} facet={facet}>
            {facet.values.slice(0, SHOWN).map(({ value, hosts }) => {
              const change = changeOf(facet, value, order);
              return (
                <button
                  key={value}
                  type="button"
                  className="chip"
                  disabled={change === undefined}
                  aria-pressed={change?.isChosen ?? false}
                  onClick={() => change !== undefined && set({ ...change.order, unticked: [] })}
                >
                  {value} <b>{f.number(hosts)}</b>
                </button>
              );
            })}
            {facet.values.length + facet.more > SHOWN && (
              <span className="dim">
                {t.kick.facetMore(f.number(facet.values.length + facet.more - SHOWN))}
              </span>
            )}
          </Row>
        ))}
      </div>
    </div>
  );
}

function Row({ facet: { kind, name }, children }: { facet: Facet; children: React.ReactNode }) {
  const { t } = useText();
  const label = { fact: name, last: name, class: t.kick.facetClass, environment: t.kick.facetEnvironment };
  return (
    <>
      <span className="dim">{label[kind]}</span>
      <div className="chips">{children}</div>
    </>
  );
}

interface Change {
  isChosen: boolean;
  order: Partial<Order>;
}

/** Undefined: the choice has no word for it. */
function changeOf({ kind, name }: Facet, value: string, order: Order): Change | undefined {
  if (!WORD.test(value)) return undefined;
  if (kind === 'class') {
    const all = words(order.classes);
    const isChosen = all.includes(value);
    return { isChosen, order: { classes: toggled(all, value, isChosen).join(' ') } };
  }
  if (kind === 'environment') {
    const isChosen = order.reported === value;
    return { isChosen, order: { reported: isChosen ? '' : value } };
  }
  const word = `${name}=${value}`;
  const isChosen = words(order.facts).includes(word);
  // A host has one value of a fact.
  const others = words(order.facts).filter((one) => !one.startsWith(`${name}=`));
  return { isChosen, order: { facts: (isChosen ? others : [...others, word]).join(' ') } };
}

function toggled<T>(all: readonly T[], one: T, isChosen: boolean): T[] {
  return isChosen ? all.filter((other) => other !== one) : [...all, one];
}
