/** What the hosts are to do, in words. */
import { Button, Checkbox, SegmentedControl, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { Me } from '../api/queries.ts';
import { useMe } from '../shell/shell.tsx';
import { useText } from '../text/language.tsx';
import type { Order, SetOrder } from './order.ts';

interface CardProps {
  order: Order;
  set: SetOrder;
  /** What the API says of a field, by the beginning of its path. */
  errorAt(path: string): string | undefined;
}

export function ActionCard({ order, set, errorAt }: CardProps) {
  const { t } = useText();
  const [isOpen, setOpen] = useState(false);
  const modes = modesOf(useMe());
  const hints = { run: t.kick.runHint, noop: t.kick.noopHint, own: t.kick.ownHint };
  return (
    <section className="card padded stack" aria-labelledby="what">
      <h2 id="what">{t.kick.what}</h2>
      <SegmentedControl
        aria-labelledby="what"
        value={order.mode}
        onChange={(mode) => set({ mode: mode as Order['mode'] })}
        data={modes.map((value) => ({ value, label: t.kick[value] }))}
        fullWidth
      />
      <p className="dim small">{hints[order.mode]}</p>
      {isOpen ? (
        <Options order={order} set={set} errorAt={errorAt} />
      ) : (
        <div>
          <Button variant="subtle" size="compact-sm" ml={-8} c="var(--ink)" onClick={() => setOpen(true)}>
            {t.kick.options}…
          </Button>
        </div>
      )}
    </section>
  );
}

/** Who may only look is not offered anything else. */
export function modesOf({ limits }: Me): readonly Order['mode'][] {
  return limits.some(({ noopOnly }) => noopOnly) ? ['noop'] : ['own', 'noop', 'run'];
}

function Options({ order, set, errorAt }: CardProps) {
  const { t } = useText();
  const checks = [
    ['showDiff', t.kick.showDiff],
    ['debug', t.kick.debug],
    ['ignoreschedules', t.kick.ignoreschedules],
    ['useCachedCatalog', t.kick.useCachedCatalog],
  ] as const;
  return (
    <>
      <div className="fields">
        <TextInput
          label={t.kick.tags}
          value={order.tags}
          onChange={(event) => set({ tags: event.currentTarget.value })}
          error={errorAt('body.action.tags')}
        />
        <TextInput
          label={t.kick.skipTags}
          value={order.skipTags}
          onChange={(event) => set({ skipTags: event.currentTarget.value })}
          error={errorAt('body.action.skipTags')}
        />
        <TextInput
          label={t.kick.environment}
          placeholder={t.kick.environmentHint}
          value={order.environment}
          onChange={(event) => set({ environment: event.currentTarget.value })}
          error={errorAt('body.action.environment')}
        />
      </div>
      <div className="stack" style={{ gap: 8 }}>
        {checks.map(([name, label]) => (
          <Checkbox
            key={name}
            label={label}
            checked={order[name]}
            onChange={(event) => set({ [name]: event.currentTarget.checked })}
          />
        ))}
      </div>
    </>
  );
}

export function RolloutCard({ order, set, errorAt }: CardProps) {
  const { t } = useText();
  const isInSteps = order.rollout !== 'once';
  const field = (name: 'canary' | 'batches' | 'pause' | 'maxFailures' | 'concurrency', label: string) => (
    <TextInput
      label={label}
      value={order[name]}
      placeholder={name === 'batches' ? t.kick.batchSizesHint : undefined}
      onChange={(event) => set({ [name]: event.currentTarget.value })}
      error={errorAt(name === 'concurrency' ? 'body.concurrency' : `body.rollout.${name}`)}
    />
  );
  return (
    <section className="card padded stack" aria-labelledby="how">
      <h2 id="how">{t.kick.how}</h2>
      <SegmentedControl
        aria-labelledby="how"
        value={order.rollout}
        onChange={(rollout) => set({ rollout: rollout as Order['rollout'] })}
        data={[
          { value: 'once', label: t.kick.once },
          { value: 'canary', label: t.kick.canary },
          { value: 'batches', label: t.kick.batches },
        ]}
        fullWidth
      />
      {order.rollout === 'canary' && <p className="dim small">{t.kick.canaryHint}</p>}
      <div className="fields">
        {order.rollout === 'canary' && field('canary', t.kick.canarySize)}
        {order.rollout === 'batches' && field('batches', t.kick.batchSizes)}
        {isInSteps && field('pause', t.kick.pause)}
        {field('maxFailures', t.kick.maxFailures)}
        {field('concurrency', t.kick.concurrency)}
      </div>
      {isInSteps && (
        <Checkbox
          label={t.kick.confirm}
          checked={order.confirm}
          onChange={(event) => set({ confirm: event.currentTarget.checked })}
        />
      )}
      <TextInput
        label={t.kick.why}
        placeholder={t.kick.reasonHint}
        value={order.reason}
        onChange={(event) => set({ reason: event.currentTarget.value })}
        error={errorAt('body.reason')}
      />
    </section>
  );
}
