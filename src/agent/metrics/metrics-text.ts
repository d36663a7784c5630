/** An agent's metrics. Names and labels are an interface to Prometheus and never change. */
import type { Expiry } from '../../pki/expiry.ts';
import { AGENT_OUTCOMES } from '../../protocol/outcome.ts';
import { REFUSALS } from '../../protocol/refusal.ts';
import type { BrokerStatus } from '../../protocol/status.ts';
import { expositionText, type Family, gauge } from '../../util/exposition.ts';
import { seconds } from '../../util/metrics-file.ts';
import type { Counters } from './counters.ts';

export interface AgentNumbers {
  counters: Counters;
  expiry: Partial<Expiry>;
  version: string;
  waiting: number;
  /** Undefined if not known yet. */
  disabled: boolean | undefined;
  broker: BrokerStatus | undefined;
}

export function metricsText(numbers: AgentNumbers): string {
  const { counters, expiry, version, waiting, disabled, broker } = numbers;
  const { runs, requests, refused, duration, wait, lastSuccess } = counters;
  const time = (ms: number | undefined) => (ms === undefined ? undefined : seconds(ms));
  return expositionText([
    {
      name: 'kick_agent_info',
      help: 'The version of kick.',
      type: 'gauge',
      samples: [{ labels: { version }, value: 1 }],
    },
    // rate() misses the first event of a counter that appears with it, so all are there from the start.
    counter('runs', 'Runs that are over, by outcome.', {
      label: 'outcome',
      all: AGENT_OUTCOMES,
      counts: runs,
    }),
    counter('requests', 'Requests that are over, by outcome; one run may serve several.', {
      label: 'outcome',
      all: AGENT_OUTCOMES,
      counts: requests,
    }),
    counter('refused', 'Requests and questions that were refused, by code.', {
      label: 'code',
      all: Object.keys(REFUSALS),
      counts: refused,
    }),
    summary('run_duration', 'How long runs took.', duration),
    summary('lock_wait', 'How long requests waited for their run, or for their end without one.', wait),
    gauge('kick_agent_waiting_requests', 'Requests that are waiting.', waiting),
    gauge(
      'kick_agent_disabled',
      'Whether Puppet is disabled on this host.',
      disabled === undefined ? undefined : Number(disabled),
    ),
    gauge(
      'kick_agent_broker_connected',
      'Whether it is connected to a broker (NATS).',
      broker === undefined ? undefined : Number(broker.server !== undefined),
    ),
    gauge(
      'kick_agent_last_success_timestamp_seconds',
      'When the last successful run ended.',
      time(lastSuccess),
    ),
    gauge(
      'kick_agent_certificate_expiry_timestamp_seconds',
      "When the agent's certificate expires.",
      time(expiry.certificate),
    ),
    gauge('kick_agent_crl_expiry_timestamp_seconds', 'When the first CRL expires.', time(expiry.crl)),
    gauge('kick_agent_ca_expiry_timestamp_seconds', "When the agent's CA expires.", time(expiry.ca)),
    gauge(
      'kick_agent_broker_certificate_expiry_timestamp_seconds',
      'When the certificate of the broker (NATS) expires.',
      time(broker?.certificateEnds),
    ),
  ]);
}

interface Counts {
  label: string;
  all: readonly string[];
  counts: Readonly<Record<string, number>>;
}

function counter(name: string, help: string, { label, all, counts }: Counts): Family {
  // Counters of a newer version survive a downgrade.
  const names = [...new Set([...all, ...Object.keys(counts)])];
  const samples = names.map((one) => ({ labels: { [label]: one }, value: counts[one] ?? 0 }));
  return { name: `kick_agent_${name}_total`, help, type: 'counter', samples };
}

function summary(name: string, help: string, { sum, count }: { sum: number; count: number }): Family {
  return {
    name: `kick_agent_${name}_seconds`,
    help,
    type: 'summary',
    samples: [
      { suffix: '_sum', value: sum },
      { suffix: '_count', value: count },
    ],
  };
}
