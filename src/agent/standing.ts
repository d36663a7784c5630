/** Who this agent is, what it allows and whether it still serves; all of this may change while it runs. */
import { setMaxListeners } from 'node:events';
import { Refusal } from '../protocol/refusal.ts';
import type { BrokerStatus } from '../protocol/status.ts';
import type { Clock } from '../util/clock.ts';
import type { AdmissionContext } from './admission/checks.ts';
import type { Policy } from './admission/policy.ts';
import type { Pull } from './schedule/pull.ts';

/** The part of a connection to brokers that is reported. */
export interface Broker {
  /** Undefined once it is closed. */
  brokerStatus(): BrokerStatus | undefined;
  onConnected(listener: () => void): void;
  onLost(listener: () => void): void;
}

export interface Standing {
  /** Known only once the certificate is there (first boot). */
  certname: string | undefined;
  policy: Policy;
  /** See `AdmissionContext`. */
  verify: AdmissionContext['verify'];
  /** The runs that the agent starts by itself; undefined: none. */
  pull: Pull | undefined;
  /** Undefined: it has no broker. */
  brokerStatus(): BrokerStatus | undefined;
  setBroker(broker: Broker, onChange: () => void): void;
  readonly stopping: AbortSignal;
  stop(): void;
  /** What a request is checked against now. Throws `Refusal` `stopping` while nothing is served. */
  context(): AdmissionContext;
}

export interface StandingOptions {
  policy: Policy;
  clock: Clock;
  version: string;
  /** See store-marker.ts. */
  notBefore(): number;
}

export function createStanding({ policy, clock, version, notBefore }: StandingOptions): Standing {
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal); // one for each stream
  let broker: Broker | undefined;
  const standing: Standing = {
    certname: undefined,
    policy,
    verify: undefined,
    pull: undefined,
    brokerStatus: () => broker?.brokerStatus(),
    setBroker(found, onChange) {
      broker = found;
      found.onConnected(onChange);
      found.onLost(onChange);
    },
    stopping: stopping.signal,
    stop: () => stopping.abort(),
    context() {
      const { certname } = standing;
      if (stopping.signal.aborted || certname === undefined) throw new Refusal('stopping', 'not serving');
      const { policy, verify } = standing;
      return { certname, policy, verify, now: clock.now(), notBefore: notBefore(), version };
    },
  };
  return standing;
}
