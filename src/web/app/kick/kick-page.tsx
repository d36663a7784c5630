/** Kick: choose hosts, say what they are to do, look at the plan, go. */
import { Button, Kbd } from '@mantine/core';
import { useDebouncedValue, useHotkeys } from '@mantine/hooks';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';
import { limitWords } from '../admin/limits.ts';
import { ApiError, call } from '../api/client.ts';
import { resolveQuery } from '../api/queries.ts';
import { Problem } from '../parts/states.tsx';
import { usePageKeys } from '../parts/use-page-keys.ts';
import { mayRun, useMe } from '../shell/shell.tsx';
import { useText } from '../text/language.tsx';
import { ActionCard, modesOf, RolloutCard } from './action-card.tsx';
import { ChoiceCard } from './choice-card.tsx';
import { ChosenList } from './chosen-list.tsx';
import { LookedCard, LookedNotes } from './looked-card.tsx';
import { choiceOf, NEW_ORDER, type Order, wishOf } from './order.ts';
import { PlanDialog } from './plan-dialog.tsx';
import { useLooked } from './use-looked.ts';

const TYPING_MS = 250;

export function KickPage() {
  const { t, f } = useText();
  const search = useSearch({ from: '/kick' });
  const navigate = useNavigate();
  const me = useMe();
  const [order, setOrder] = useState<Order>(() => ({
    ...NEW_ORDER,
    mode: modesOf(me)[0] ?? NEW_ORDER.mode,
    hosts: search.hosts ?? '',
    all: search.all === 'yes',
  }));
  const set = (change: Partial<Order>) => setOrder((before) => ({ ...before, ...change }));
  useAddress(order);
  const { looked, error: lookError } = useLooked(search.from);
  useReason(looked?.job, setOrder);
  const choice = useMemo(() => choiceOf(order, looked), [order, looked]);
  const [asked] = useDebouncedValue(choice, TYPING_MS);
  const { data, error, isFetching } = useQuery(resolveQuery(asked));
  const resolved = asked === undefined ? undefined : data;
  const launch = useLaunch(order, looked);
  usePageKeys();
  useHotkeys([['mod+Enter', () => launch.preview.mutate()]], []);
  const count = resolved === undefined ? 0 : resolved.chosen - order.unticked.length;
  const hosts = t.common.hosts(count, f.number(count));
  const drop = () => void navigate({ to: '/kick', search: {}, replace: true });
  const card = { order, set, errorAt: launch.errorAt };
  return (
    <div className="page">
      <Head />
      <div className="kick">
        <div className="stack" style={{ gap: 16 }}>
          <Problem error={lookError} />
          {looked === undefined ? (
            <ChoiceCard order={order} set={set} error={error} choice={asked} />
          ) : (
            <LookedCard looked={looked} onDrop={drop} />
          )}
          <ActionCard {...card} />
          <RolloutCard {...card} />
        </div>
        <ChosenList resolved={resolved} order={order} set={set} isStale={isFetching} />
        <Go {...launch} hosts={hosts} count={count} />
      </div>
      <PlanDialog
        plan={launch.preview.data?.plan}
        isOpen={launch.isOpen}
        onClose={launch.close}
        onGo={() => launch.start.mutate()}
        isStarting={launch.start.isPending}
        error={launch.start.error}
        notes={looked !== undefined && <LookedNotes looked={looked} />}
      />
    </div>
  );
}

/** The title, and what narrows the role of whoever may run something. */
function Head() {
  const { t } = useText();
  const me = useMe();
  const limits = me.limits.map((one) => limitWords(one, t)).filter(Boolean);
  return (
    <div>
      <h1>{t.kick.title}</h1>
      {mayRun(me) && limits.length > 0 && <p className="dim">{t.kick.limited(limits.join('; '))}</p>}
    </div>
  );
}

/** What is applied says in the log and the audit which look it applies, unless one says something else. */
function useReason(job: string | undefined, setOrder: (change: (before: Order) => Order) => void): void {
  const { t } = useText();
  const said = job === undefined ? '' : t.kick.fromReason(job.slice(-8));
  useEffect(() => {
    if (said !== '') setOrder((before) => (before.reason === '' ? { ...before, reason: said } : before));
  }, [said, setOrder]);
}

/** The address follows what is chosen when one pauses. */
function useAddress({ hosts, all }: Order): void {
  const search = useSearch({ from: '/kick' });
  const navigate = useNavigate();
  const [typed] = useDebouncedValue(hosts.trim(), TYPING_MS);
  const isKept =
    search.from !== undefined || ((search.hosts ?? '') === typed && (search.all === 'yes') === all);
  useEffect(() => {
    if (isKept) return;
    const kept = { ...(typed !== '' && { hosts: typed }), ...(all && { all: 'yes' }) };
    void navigate({ to: '/kick', search: kept, replace: true });
  }, [typed, all, isKept, navigate]);
}

function useLaunch(order: Order, looked: Parameters<typeof wishOf>[1]) {
  const navigate = useNavigate();
  const [isOpen, setOpen] = useState(false);
  // The same key until the dialog is closed: a click that is repeated starts nothing twice.
  const [key, setKey] = useState('');
  const preview = useMutation({
    mutationFn: () => call('post /jobs', { body: wishOf(order, looked, true) }),
    onSuccess: () => {
      setKey(crypto.randomUUID());
      setOpen(true);
    },
  });
  const start = useMutation({
    mutationFn: () => call('post /jobs', { body: wishOf(order, looked, false) }, { idempotencyKey: key }),
    onSuccess: ({ job }) => job !== undefined && navigate({ to: '/jobs/$job', params: { job } }),
  });
  const errorAt = (path: string) => (preview.error instanceof ApiError ? preview.error.at(path) : undefined);
  const close = () => {
    start.reset();
    setOpen(false);
  };
  return { preview, start, isOpen, close, errorAt };
}

type Launch = ReturnType<typeof useLaunch>;

function Go({ preview, hosts, count }: Pick<Launch, 'preview'> & { hosts: string; count: number }) {
  const { t } = useText();
  const isAllowed = mayRun(useMe());
  return (
    <div className="card go">
      <div className="grow">
        {isAllowed ? <Problem error={preview.error} /> : <span className="dim">{t.kick.readOnly}</span>}
        {isAllowed && preview.error === null && <span className="number">{hosts}</span>}
      </div>
      <Kbd className="hide-narrow">{t.kick.keys}</Kbd>
      <Button
        disabled={!isAllowed || count === 0}
        loading={preview.isPending}
        onClick={() => preview.mutate()}
      >
        {t.kick.preview}
      </Button>
    </div>
  );
}
