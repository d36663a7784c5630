/** The hosts that are chosen, why each, and a tick to leave one out. */
import { Checkbox, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useDeferredValue, useMemo, useState } from 'react';
import { knownQuery, type Resolved } from '../api/queries.ts';
import { Empty, Warnings } from '../parts/states.tsx';
import { Cell, Heading, VirtualRows } from '../parts/virtual-rows.tsx';
import { useText } from '../text/language.tsx';
import type { Order, SetOrder } from './order.ts';

interface ChosenProps {
  resolved: Resolved | undefined;
  order: Order;
  set: SetOrder;
  isStale: boolean;
}

export function ChosenList({ resolved, order, set, isStale }: ChosenProps) {
  const { t, f } = useText();
  const [filter, setFilter] = useState('');
  const part = useDeferredValue(filter.trim().toLowerCase());
  const { data: known } = useQuery(knownQuery);
  const hosts = resolved?.hosts;
  const rows = useMemo(() => hosts?.filter(({ certname }) => certname.includes(part)) ?? [], [hosts, part]);
  if (known?.length === 0 && (hosts ?? []).length === 0) return <Instead {...t.fleet} />;
  if (resolved === undefined) return <Instead {...t.kick} />;
  const emptyTitle = part === '' ? t.kick.noneChosen : t.common.nothingFound;
  const count = resolved.chosen - order.unticked.length;
  return (
    <section className="card chosen" aria-labelledby="chosen" aria-busy={isStale}>
      <div className="search">
        <h2 id="chosen" className="grow number">
          {known === undefined
            ? t.common.hosts(count, f.number(count))
            : t.kick.ofKnown(f.number(count), f.number(Math.max(known.length, resolved.hosts.length)))}
        </h2>
        <TextInput
          size="xs"
          aria-label={t.kick.filterHosts}
          placeholder={t.kick.filterHosts}
          value={filter}
          onChange={(event) => setFilter(event.currentTarget.value)}
        />
      </div>
      <Beside resolved={resolved} />
      <div className="grow" style={{ minHeight: 0 }}>
        <VirtualRows
          label={t.kick.chosen}
          rows={rows}
          keyOf={({ certname }) => certname}
          columns="20px minmax(0, 3fr) minmax(0, 2fr)"
          height="100%"
          head={
            <>
              <Heading />
              <Heading>{t.common.host}</Heading>
              <Heading>{t.kick.why1}</Heading>
            </>
          }
          render={(row) => <Row row={row} order={order} set={set} />}
          empty={<Empty title={emptyTitle} />}
        />
      </div>
    </section>
  );
}

function Instead({ emptyTitle, emptyHint }: { emptyTitle: string; emptyHint: string }) {
  return (
    <section className="card chosen">
      <Empty title={emptyTitle} hint={emptyHint} />
    </section>
  );
}

/** Without the names that the API has for the fields. */
const why = (text: string) =>
  text
    .replace(/^--/, '')
    .replace(/ ?\(?\b(hosts|exclude)\.\d+\)?:? ?/, ' ')
    .trim();

/** Of a list of names: that the host was named. */
const short = (text: string, { certname, named }: { certname: string; named: string }) =>
  text.split(',').includes(certname) ? named : text;

function Row({ row, order, set }: { row: Resolved['hosts'][number]; order: Order; set: SetOrder }) {
  const { certname, isIn, because } = row;
  const { t } = useText();
  const isUnticked = order.unticked.includes(certname);
  const toggle = () =>
    set({
      unticked: isUnticked ? order.unticked.filter((one) => one !== certname) : [...order.unticked, certname],
    });
  return (
    <>
      <Cell>
        <Checkbox
          size="xs"
          aria-label={certname}
          checked={isIn && !isUnticked}
          disabled={!isIn}
          onChange={toggle}
        />
      </Cell>
      <Cell className={isIn && !isUnticked ? 'mono' : 'mono out'}>{certname}</Cell>
      <Cell className="why">
        {because.map((text) => short(why(text), { certname, named: t.kick.named })).join(' · ')}
      </Cell>
    </>
  );
}

/** What is not among the hosts, and what is to be known about them. */
function Beside({ resolved }: { resolved: Resolved }) {
  const { t, f } = useText();
  const expected = resolved.discovery?.expected;
  const lists = [
    [t.kick.maintenance, resolved.maintenance],
    [t.kick.unanswered, resolved.unanswered.map(({ certname, error }) => `${certname}: ${error}`)],
  ] as const;
  return (
    <>
      <Warnings texts={resolved.warnings} />
      {expected !== undefined && (
        <p className="dim small" style={{ padding: '8px 16px 0', margin: 0 }}>
          {t.kick.answered(f.number(expected.answered), f.number(expected.hosts))}
        </p>
      )}
      {lists.map(
        ([title, names]) =>
          names.length > 0 && (
            <details key={title} className="small" style={{ padding: '8px 16px 0' }}>
              <summary>
                {title}: {names.length}
              </summary>
              <ul className="mono dim">
                {names.slice(0, 50).map((name) => (
                  <li key={name}>{name}</li>
                ))}
              </ul>
            </details>
          ),
      )}
    </>
  );
}
