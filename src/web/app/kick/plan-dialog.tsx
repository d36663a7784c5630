/** What would happen, as the server plans it, before it does. */
import { Button, Modal } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Plan } from '../api/queries.ts';
import { Problem } from '../parts/states.tsx';
import { useText } from '../text/language.tsx';

interface PlanProps {
  plan: Plan | undefined;
  isOpen: boolean;
  onClose(): void;
  onGo(): void;
  isStarting: boolean;
  error: Error | null;
  /** What is to be known beside the plan. */
  notes: ReactNode;
}

export function PlanDialog({ plan, isOpen, onClose, onGo, isStarting, error, notes }: PlanProps) {
  const { t, f } = useText();
  if (plan === undefined) return null;
  const hosts = t.common.hosts(plan.hosts.length, f.number(plan.hosts.length));
  const isNoop = plan.action['noop'] === true;
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={t.kick.plan}
      size="lg"
      closeButtonProps={{ 'aria-label': t.common.close }}
    >
      <div className="stack">
        <PlanFacts plan={plan} />
        {notes}
        {plan.warnings.map((warning) => (
          <div key={warning} className="note warning">
            {warning}
          </div>
        ))}
        <Problem error={error} />
        <div className="row" style={{ justifyContent: 'flex-end' }}>
          <Button variant="default" onClick={onClose}>
            {t.common.cancel}
          </Button>
          <Button onClick={onGo} loading={isStarting} disabled={plan.hosts.length === 0} data-autofocus>
            {isNoop ? t.kick.goNoop(hosts) : t.kick.go(hosts)}
          </Button>
        </div>
      </div>
    </Modal>
  );
}

function PlanFacts({ plan }: { plan: Plan }) {
  const { t, f } = useText();
  const { op: _op, noop, ...options } = plan.action;
  const mode = noop === true ? t.kick.noop : noop === false ? t.kick.run : t.kick.own;
  const said = Object.entries(options).map(([name, value]) => (value === true ? name : `${name}: ${value}`));
  const batches = plan.batches.slice(0, 30);
  const size = (count: number) => t.common.hosts(count, f.number(count));
  return (
    <dl className="facts">
      <dt>{t.kick.planAction}</dt>
      <dd>{[mode, ...said].join(' · ')}</dd>
      <dt>{t.kick.planOrder}</dt>
      <dd className="steps">
        {batches.length > 1 &&
          batches.map((batch, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: batches have no name but their number
            <span key={index} className="step">
              {batch.isCanary
                ? t.kick.planCanary(size(batch.size))
                : t.kick.planBatch(index + 1, size(batch.size))}
            </span>
          ))}
        <span className="dim">{t.kick.planAtOnce(f.number(plan.concurrency))}</span>
      </dd>
      <dt>{t.kick.planHosts}</dt>
      <dd>
        <details>
          <summary>{size(plan.hosts.length)}</summary>
          <ul className="mono small" style={{ maxHeight: 220, overflow: 'auto' }}>
            {plan.hosts.slice(0, 1000).map((host) => (
              <li key={host}>{host}</li>
            ))}
          </ul>
        </details>
      </dd>
      {plan.maintenance.length > 0 && (
        <>
          <dt>{t.kick.maintenance}</dt>
          <dd>{plan.maintenance.join(', ')}</dd>
        </>
      )}
    </dl>
  );
}
