/** Makes a schedule, or changes one; what has no field here stays as it is. */
import { Button, Checkbox, Modal, NativeSelect, SegmentedControl, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError, type Ask, call } from '../api/client.ts';
import { type Schedule, schedulesQuery } from '../api/queries.ts';
import { modesOf } from '../kick/action-card.tsx';
import { words } from '../kick/order.ts';
import { Problem } from '../parts/states.tsx';
import { useMe } from '../shell/shell.tsx';
import { useText } from '../text/language.tsx';
import { ownZone } from '../text/times.ts';

type Wish = Ask<'post /schedules'>['body'];

interface Fields {
  name: string;
  cron: string;
  zone: string;
  hosts: string;
  all: boolean;
  mode: 'own' | 'noop' | 'run';
  canary: string;
  reason: string;
  ifStillRunning: 'skip' | 'wait' | 'replace';
  missed: 'skip' | 'once';
  lock: string;
}

interface FormProps {
  /** Undefined: a new one. */
  schedule: Schedule | undefined;
  onClose(): void;
  onDone(name: string): void;
}

export function ScheduleForm({ schedule, onClose, onDone }: FormProps) {
  const { t } = useText();
  const queries = useQueryClient();
  const me = useMe();
  const [fields, setFields] = useState(() => fieldsOf(schedule, modesOf(me)));
  const set = (change: Partial<Fields>) => setFields((before) => ({ ...before, ...change }));
  const save = useMutation({
    mutationFn: () => call('post /schedules', { body: wishOf(fields, schedule) }),
    onSuccess: async ({ name }) => {
      await queries.invalidateQueries({ queryKey: schedulesQuery.queryKey });
      onDone(name);
    },
  });
  const error = save.error instanceof ApiError ? save.error : undefined;
  const isAtField = error?.problem.errors !== undefined;
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={schedule === undefined ? t.schedules.make : t.schedules.editTitle(schedule.name)}
      closeButtonProps={{ 'aria-label': t.common.close }}
    >
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <WhenFields fields={fields} set={set} error={error} isNew={schedule === undefined} />
        <WhatFields fields={fields} set={set} error={error} isNew={schedule === undefined} />
        {!isAtField && <Problem error={save.error} />}
        <div className="row" style={{ justifyContent: 'flex-end' }}>
          <Button variant="default" onClick={onClose}>
            {t.common.cancel}
          </Button>
          <Button type="submit" loading={save.isPending}>
            {t.schedules.save}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

interface FieldsProps {
  fields: Fields;
  set(change: Partial<Fields>): void;
  error: ApiError | undefined;
  isNew: boolean;
}

function WhenFields({ fields, set, error, isNew }: FieldsProps) {
  const { t } = useText();
  return (
    <>
      {isNew && (
        <TextInput
          label={t.schedules.name}
          description={t.schedules.nameHint}
          value={fields.name}
          onChange={(event) => set({ name: event.currentTarget.value })}
          error={error?.at('body.name')}
          data-autofocus
        />
      )}
      <div className="fields">
        <TextInput
          label={t.schedules.when}
          description={t.schedules.cronHint}
          value={fields.cron}
          onChange={(event) => set({ cron: event.currentTarget.value })}
          error={error?.at('body.cron')}
        />
        <TextInput
          label={t.schedules.zone}
          description={t.schedules.zoneHint}
          value={fields.zone}
          onChange={(event) => set({ zone: event.currentTarget.value })}
          error={error?.at('body.zone')}
        />
      </div>
    </>
  );
}

function WhatFields({ fields, set, error }: FieldsProps) {
  const { t } = useText();
  const { ifStill, ifMissed } = t.schedules;
  const modes = modesOf(useMe());
  const text = (name: 'canary' | 'reason' | 'lock', label: string, path: string) => (
    <TextInput
      label={label}
      value={fields[name]}
      onChange={(event) => set({ [name]: event.currentTarget.value })}
      error={error?.at(path)}
    />
  );
  return (
    <>
      <TextInput
        label={t.kick.expression}
        description={t.kick.expressionHint}
        value={fields.hosts}
        onChange={(event) => set({ hosts: event.currentTarget.value })}
        error={error?.at('body.choice')}
        disabled={fields.all}
      />
      <Checkbox
        label={t.kick.all}
        checked={fields.all}
        onChange={(event) => set({ all: event.currentTarget.checked })}
      />
      <SegmentedControl
        aria-label={t.kick.what}
        value={fields.mode}
        onChange={(mode) => set({ mode: mode as Fields['mode'] })}
        data={modes.map((value) => ({ value, label: t.kick[value] }))}
      />
      <div className="fields">
        <NativeSelect
          label={t.schedules.ifStillRunning}
          value={fields.ifStillRunning}
          onChange={(event) => set({ ifStillRunning: event.currentTarget.value as Fields['ifStillRunning'] })}
          data={(['skip', 'wait', 'replace'] as const).map((value) => ({ value, label: ifStill[value] }))}
        />
        <NativeSelect
          label={t.schedules.missed}
          value={fields.missed}
          onChange={(event) => set({ missed: event.currentTarget.value as Fields['missed'] })}
          data={(['skip', 'once'] as const).map((value) => ({ value, label: ifMissed[value] }))}
        />
        {text('canary', t.kick.canarySize, 'body.rollout.canary')}
        {text('lock', t.schedules.lock, 'body.lock')}
      </div>
      {text('reason', t.common.reason, 'body.reason')}
    </>
  );
}

function fieldsOf(schedule: Schedule | undefined, [first = 'own']: readonly Fields['mode'][]): Fields {
  const { choice = {}, action = {}, rollout = {} } = schedule ?? {};
  return {
    name: schedule?.name ?? '',
    cron: schedule?.cron ?? '0 3 * * *',
    zone: schedule?.zone ?? ownZone(),
    hosts: (choice.hosts ?? []).join(' '),
    all: choice.all ?? false,
    mode: action.noop === undefined ? first : action.noop ? 'noop' : 'run',
    canary: rollout.canary === undefined ? '' : String(rollout.canary),
    reason: schedule?.reason ?? '',
    ifStillRunning: schedule?.ifStillRunning ?? 'skip',
    missed: schedule?.missed ?? 'skip',
    lock: schedule?.lock ?? '',
  };
}

function wishOf(fields: Fields, before: Schedule | undefined): Wish {
  const { hosts: _hosts, all: _all, ...choice } = before?.choice ?? {};
  const { noop: _noop, ...action } = before?.action ?? {};
  const { canary: _canary, ...rollout } = before?.rollout ?? {};
  const [named, canary] = [words(fields.hosts), fields.canary.trim()];
  const [reason, lock] = [fields.reason.trim(), fields.lock.trim()];
  return {
    ...{ name: fields.name.trim(), cron: fields.cron.trim(), zone: fields.zone.trim() },
    ...{ ifStillRunning: fields.ifStillRunning, missed: fields.missed, paused: before?.paused ?? false },
    choice: { ...choice, ...(fields.all ? { all: true } : named.length > 0 && { hosts: named }) },
    action: { ...action, ...(fields.mode !== 'own' && { noop: fields.mode === 'noop' }) },
    rollout: { ...rollout, ...(canary !== '' && { canary: Number(canary) }) },
    ...(reason !== '' && { reason }),
    ...(lock !== '' && { lock }),
  };
}
