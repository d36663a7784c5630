/** A host whose runs are simulated: the agent's real admission, queue, events and listener, in this process. */
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { Policy } from '../../agent/admission/policy.ts';
import { openAgent } from '../../agent/agent.ts';
import { expiryOf } from '../../pki/expiry.ts';
import type { Identity } from '../../pki/identity.ts';
import type { DoctorFacts } from '../../protocol/doctor.ts';
import type { StoredEvent } from '../../protocol/event.ts';
import type { ListenerLimits } from '../../transport/https/limits.ts';
import { listenHttps } from '../../transport/https/listener/listener.ts';
import type { AgentService, EventStream } from '../../transport/transport.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import { silentLog } from '../../util/log.ts';
import { version } from '../version.ts';
import { randomFrom, type Shape } from './run-shape.ts';
import { type LatestRun, simulatedRunner, simulatedSteps } from './simulated-run.ts';

const SLOW_MS = 2000;
const MAX_WAITING = 100;

/** Idle connections need not be looked at every second. */
const LIMITS: Partial<ListenerLimits> = { checkEveryMs: 10_000, closeMs: 500 };

export interface SimulatedHostOptions {
  identity: Identity;
  policy: Policy;
  bind: string;
  /** 0: any that is free. */
  port: number;
  /** Its state, removed by its creator. */
  folder: string;
  shape: Shape;
  /** Of what its runs do. */
  seed: number;
  clock: Clock;
  limits?: Partial<ListenerLimits>;
  /** What is wrong with it. */
  change?(agent: AgentService): AgentService;
}

export interface SimulatedHost {
  /** Where it listens; 0 where nothing does. */
  readonly port: number;
  /** Absent where there is none. */
  readonly agent?: AgentService;
  /** Takes a connection that came in another way. */
  accept(stream: Duplex): void;
  close(): Promise<void>;
}

export async function startSimulatedHost({
  identity,
  policy,
  bind,
  port,
  folder,
  shape,
  seed,
  clock,
  limits,
  change = (agent) => agent,
}: SimulatedHostOptions): Promise<SimulatedHost> {
  const latest: LatestRun = {};
  const agent = await openAgent({
    stateDir: join(folder, 'state'),
    runDir: join(folder, 'run'),
    runner: simulatedRunner(latest, shape.isTold && join(folder, 'disabled.lock')),
    policy,
    version: version(),
    clock,
    log: silentLog,
    queueSize: MAX_WAITING,
    killGraceMs: 0,
    steps: simulatedSteps(shape, { random: randomFrom(seed), latest }),
    doctor: async () => factsOf(identity),
  });
  agent.setCertname(identity.certname);
  const own = { identity, port, bind, log: silentLog, limits: { ...LIMITS, ...limits } };
  const service = change(agent);
  const listener = await listenHttps(service, own);
  return {
    port: listener.port,
    agent: service,
    accept: (stream) => listener.accept(stream),
    async close() {
      await agent.stop();
      await listener.close();
    },
  };
}

/** Of a simulated host there is nothing else to examine. */
function factsOf(identity: Identity): DoctorFacts {
  const { certificate, crl } = expiryOf(identity);
  return {
    certificateEnds: certificate,
    folders: [],
    schedulers: [],
    ...(crl !== undefined && { crlEnds: crl }),
  };
}

/** An agent whose streams of events go through `change`. */
export function withStreams(
  agent: AgentService,
  change: (stream: EventStream, signal: AbortSignal) => EventStream,
): AgentService {
  return {
    submit: async (body, peer) => {
      const open = await agent.submit(body, peer);
      return (signal) => change(open(signal), signal);
    },
    events: async (from, peer) => {
      const open = await agent.events(from, peer);
      return (signal) => change(open(signal), signal);
    },
    status: (peer, question) => agent.status(peer, question),
    command: (body, peer) => agent.command(body, peer),
    isController: (certificate) => agent.isController(certificate),
    greet: (peer) => agent.greet(peer),
  };
}

/** An agent that takes two seconds to answer. */
export function slowed(agent: AgentService): AgentService {
  const slow = withStreams(agent, slowly);
  return {
    ...slow,
    submit: async (body, peer) => {
      await sleep(SLOW_MS);
      return slow.submit(body, peer);
    },
  };
}

async function* slowly(stream: EventStream, signal: AbortSignal): AsyncGenerator<StoredEvent> {
  for await (const event of stream) {
    await sleep(SLOW_MS / 10, signal);
    yield event;
  }
}
