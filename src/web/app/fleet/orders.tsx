/** Orders to the hosts that are ticked: disable, enable, end runs, kick. */
import { Button, Checkbox, Modal, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { ApiError, call } from '../api/client.ts';
import type { OrderReply } from '../api/queries.ts';
import { Problem } from '../parts/states.tsx';
import { mayRun, useMe } from '../shell/shell.tsx';
import type { Text } from '../text/en.ts';
import { useText } from '../text/language.tsx';

type Kind = 'disable' | 'enable' | 'cancel';

interface OrdersProps {
  selected: readonly string[];
  onDone(): void;
}

export function Orders({ selected, onDone }: OrdersProps) {
  const { t, f } = useText();
  const navigate = useNavigate();
  const [kind, setKind] = useState<Kind>();
  const isAllowed = mayRun(useMe());
  if (selected.length === 0 || !isAllowed) return null;
  const open = (one: Kind) => () => setKind(one);
  return (
    <div className="search">
      <b className="number">{t.fleet.selected(f.number(selected.length))}</b>
      <Button
        size="compact-sm"
        onClick={() => void navigate({ to: '/kick', search: { hosts: selected.join(' ') } })}
      >
        {t.fleet.kickThese}
      </Button>
      <Button size="compact-sm" variant="default" onClick={open('disable')}>
        {t.fleet.disable}…
      </Button>
      <Button size="compact-sm" variant="default" onClick={open('enable')}>
        {t.fleet.enable}…
      </Button>
      <Button size="compact-sm" variant="default" onClick={open('cancel')}>
        {t.fleet.cancel}…
      </Button>
      {kind !== undefined && (
        <OrderDialog kind={kind} selected={selected} onClose={() => setKind(undefined)} onDone={onDone} />
      )}
    </div>
  );
}

function wordsOf(kind: Kind, { fleet }: Text) {
  return {
    disable: { title: fleet.disableTitle, word: fleet.disable },
    enable: { title: fleet.enableTitle, word: fleet.enable },
    cancel: { title: fleet.cancelTitle, word: fleet.cancel },
  }[kind];
}

function OrderDialog({ kind, selected, onClose, onDone }: OrdersProps & { kind: Kind; onClose(): void }) {
  const { t, f } = useText();
  const [reason, setReason] = useState('');
  const [hours, setHours] = useState('');
  const [force, setForce] = useState(false);
  const order = useMutation({
    mutationFn: () => send(kind, { selected, reason: reason.trim(), hours: hours.trim(), force }),
    onSuccess: onDone,
  });
  const errorAt = (path: string) => (order.error instanceof ApiError ? order.error.at(path) : undefined);
  const { title, word } = wordsOf(kind, t);
  return (
    <Modal
      opened
      onClose={onClose}
      closeButtonProps={{ 'aria-label': t.common.close }}
      title={title(t.common.hosts(selected.length, f.number(selected.length)))}
    >
      <div className="stack">
        <TextInput
          label={t.common.reason}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          error={errorAt('body.reason')}
          required={kind === 'disable'}
          data-autofocus
        />
        {kind === 'disable' && (
          <TextInput
            label={t.fleet.forHours}
            description={t.fleet.forHoursHint}
            value={hours}
            onChange={(event) => setHours(event.currentTarget.value)}
            error={errorAt('body.for')}
            inputMode="decimal"
          />
        )}
        {kind === 'enable' && (
          <Checkbox
            label={t.fleet.force}
            checked={force}
            onChange={(event) => setForce(event.currentTarget.checked)}
          />
        )}
        <Problem error={order.error} />
        {order.data !== undefined && <Answers reply={order.data} />}
        <div className="row" style={{ justifyContent: 'flex-end' }}>
          <Button variant="default" onClick={onClose}>
            {order.data === undefined ? t.common.cancel : t.common.close}
          </Button>
          {order.data === undefined && (
            <Button loading={order.isPending} onClick={() => order.mutate()}>
              {word}
            </Button>
          )}
        </div>
      </div>
    </Modal>
  );
}

interface Wish {
  selected: readonly string[];
  reason: string;
  hours: string;
  force: boolean;
}

function send(kind: Kind, { selected, reason, hours, force }: Wish): Promise<OrderReply> {
  const choice = { hosts: [selected.join(',')] };
  const why = reason === '' ? {} : { reason };
  if (kind === 'cancel') return call('post /fleet/cancel', { body: { choice, ...why } });
  if (kind === 'enable') {
    return call('post /fleet/enable', { body: { choice, ...why, ...(force && { force }) } });
  }
  const time = hours === '' ? {} : { for: Math.round(Number(hours) * 3600) };
  return call('post /fleet/disable', { body: { choice, reason, ...time } });
}

/** What became of an order, those alike together. */
function Answers({ reply }: { reply: OrderReply }) {
  const { t, f } = useText();
  const groups = new Map<string, string[]>();
  for (const { certname, message, error } of reply.hosts) {
    const said = error ?? message ?? '';
    groups.set(said, [...(groups.get(said) ?? []), certname]);
  }
  return (
    <ul className="stack small" style={{ gap: 4 }}>
      {[...groups].slice(0, 30).map(([said, names]) => (
        <li key={said}>
          <b>{names.length === 1 ? names[0] : t.common.hosts(names.length, f.number(names.length))}</b>:{' '}
          {said}
        </li>
      ))}
    </ul>
  );
}
