/** What an agent reports about its host. */
import type { DoctorFacts } from '../protocol/doctor.ts';
import type { Holder } from '../protocol/event.ts';
import type { AgentStatus, BrokerStatus, LastRun } from '../protocol/status.ts';
import type { StatusQuestion } from '../transport/transport.ts';
import type { Clock } from '../util/clock.ts';
import { clip } from '../util/text.ts';
import type { Queue } from './queue/queue.ts';
import type { Runner } from './runners/runner.ts';
import type { Schedule } from './schedule/schedule.ts';

export interface StatusDeps {
  /** Our version. */
  version: string;
  clock: Clock;
  runner: Runner;
  /** Of a runner that leaves no report. */
  lastOwnRun(): Promise<LastRun | undefined>;
  queue: Pick<Queue, 'holder' | 'waiting'>;
  /** What keeps runs from starting although we know of none (run-lock.ts). */
  keeper(): Holder | undefined;
  schedule: Pick<Schedule, 'status' | 'off'>;
  /** What will go wrong on this host; called on demand only. */
  doctor: (() => Promise<DoctorFacts>) | undefined;
}

export interface Asked {
  /** Known only once the certificate is there. */
  certname: string | undefined;
  question: StatusQuestion | undefined;
  /** Undefined: it has none. */
  broker: BrokerStatus | undefined;
}

/** The agent's uptime counts from here. */
export function createStatus(deps: StatusDeps): (asked: Asked) => Promise<AgentStatus> {
  const { version, clock, runner, queue, schedule, keeper } = deps;
  const startedAt = clock.monotonic();
  return async ({ certname = '', question = {}, broker }) => {
    const gate = await runner.gate(clock.now());
    const running = queue.holder() ?? (gate.state === 'held' ? gate.holder : keeper());
    const puppetVersion = await runner.puppetVersion();
    const lastRun =
      (await runner.lastRun()) ?? (runner.name === 'command' ? await deps.lastOwnRun() : undefined);
    const classes = question.classes === true ? await runner.classes() : undefined;
    const [pull, off] = [await schedule.status(), await schedule.off()];
    const doctor = question.doctor === true ? await deps.doctor?.() : undefined;
    return {
      certname,
      version,
      runner: runner.name,
      ...(puppetVersion !== undefined && { puppetVersion }),
      time: clock.now(),
      uptime: Math.round(clock.monotonic() - startedAt),
      ...(running !== undefined && { running }),
      waiting: queue.waiting(),
      ...(gate.state === 'disabled' && { disabled: gate.disabled }),
      ...(gate.state === 'unclear' && { obstacle: clip(gate.problem, 1024) }),
      ...(lastRun !== undefined && { lastRun }),
      ...(pull !== undefined && { pull }),
      ...(off !== undefined && { pullOff: off }),
      ...(broker !== undefined && { broker }),
      ...(doctor !== undefined && { doctor }),
      ...(classes !== undefined && { classes }),
    };
  };
}
