/** An agent without a transport, kicked with requests that are really signed. */
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { Policy } from '../../src/agent/admission/policy.ts';
import type { Agent } from '../../src/agent/agent.ts';
import type { AgentOptions } from '../../src/agent/options.ts';
import { commandRunner } from '../../src/agent/runners/command-runner.ts';
import type { Runner } from '../../src/agent/runners/runner.ts';
import type { Identity } from '../../src/pki/identity.ts';
import type { FinishedEvent, StoredEvent } from '../../src/protocol/event.ts';
import { Refusal, type RefusalCode } from '../../src/protocol/refusal.ts';
import type { Action, Request } from '../../src/protocol/request.ts';
import { seal } from '../../src/protocol/seal.ts';
import type { EventStream, Peer } from '../../src/transport/transport.ts';
import type { Clock } from '../../src/util/clock.ts';
import { uuidv7 } from '../../src/util/uuid.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { openAgentIn } from '../../tools/open-agent-in.ts';
import { tempFolder } from '../support/temp.ts';

export const AGENT = 'agent1.example.com';
export const CONTROLLER = 'puppet.example.com';

/** One CA for all tests of a file: making keys is the slowest part. */
export const ca = await mintCa();
export const controller: Identity = await ca.identity(CONTROLLER, { role: 'controller' });

export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/bin/${name}`, import.meta.url));
}

export function command(name: string, ...args: string[]): Runner {
  return commandRunner({ argv: [fixture(name), ...args], runEnvironment: {} });
}

export interface TestClock extends Clock {
  forward(ms: number): void;
  /** How often it was asked. */
  asked(): number;
}

/** A clock that starts now and can be set forward. */
export function clockFromNow(): TestClock {
  let skipped = 0;
  let asked = 0;
  return {
    now() {
      asked += 1;
      return Date.now() + skipped;
    },
    monotonic: () => performance.now() + skipped,
    forward(ms) {
      skipped += ms;
    },
    asked: () => asked,
  };
}

export type TestAgentOptions = Partial<AgentOptions> & { runner: Runner };

/** Opens an agent in `folder`; stopped when the test has finished. */
export async function startAgent(folder: string, options: TestAgentOptions): Promise<Agent> {
  const agent = await openAgentIn(folder, { certname: AGENT, ...options });
  onTestFinished(() => agent.stop());
  return agent;
}

export function peerOf(identity: Identity = controller): Peer {
  const [leaf] = identity.chain;
  if (leaf === undefined) throw new Error('an identity without a certificate');
  return { certificate: leaf.raw, address: '127.0.0.1' };
}

/** A request as a controller would make it now; `changes` replace what a case is about. */
export function requestOf(changes: Partial<Omit<Request, 'action'>> & { action?: Action } = {}): Request {
  const now = Math.floor(Date.now() / 1000);
  return {
    v: 1,
    jti: uuidv7(Date.now()),
    job: uuidv7(Date.now()),
    attempt: 1,
    iss: CONTROLLER,
    aud: AGENT,
    iat: now,
    exp: now + 300,
    action: { op: 'run' },
    by: { user: 'deploy', uid: 1000, host: 'puppet' },
    ...changes,
  };
}

export async function sealed(request: Request, identity: Identity = controller): Promise<Uint8Array> {
  return seal(request, { key: identity.key, chain: identity.chain });
}

export interface Kicked {
  job: string;
  events: StoredEvent[];
  /** Resolves with the first event of a type. Throws when the stream ends without it. */
  until<T extends StoredEvent['type']>(type: T): Promise<StoredEvent & { type: T }>;
  finished: Promise<StoredEvent & FinishedEvent>;
  /** Goes away in mid-stream. */
  leave(): void;
}

/** Submits a request and follows its events. */
export async function kick(agent: Agent, request: Request = requestOf()): Promise<Kicked> {
  return follow(request.job, await agent.submit(await sealed(request), peerOf()));
}

export async function resume(agent: Agent, job: string, after = 0): Promise<Kicked> {
  return follow(job, await agent.events({ job, after }, peerOf()));
}

function follow(job: string, open: (signal: AbortSignal) => EventStream): Kicked {
  const gone = new AbortController();
  const events: StoredEvent[] = [];
  const waiting: { type: string; resolve: (event: StoredEvent) => void }[] = [];
  const whole = (async () => {
    for await (const event of open(gone.signal)) {
      events.push(event);
      for (const { type, resolve } of waiting) if (type === event.type) resolve(event);
    }
    const last = events.at(-1);
    if (last?.type !== 'finished') throw new Error(`the stream ended after "${last?.type}"`);
    return last;
  })();
  whole.catch(() => {}); // who cares awaits `finished`
  return {
    job,
    events,
    async until(type) {
      const seen = events.find((event) => event.type === type);
      const coming = () => new Promise<StoredEvent>((resolve) => waiting.push({ type, resolve }));
      const none = () =>
        whole.then((last) => {
          throw new Error(`the stream ended without "${type}": ${JSON.stringify(last)}`);
        });
      const found = seen ?? (await Promise.race([coming(), none()]));
      return found as StoredEvent & { type: typeof type };
    },
    finished: whole as Promise<StoredEvent & FinishedEvent>,
    leave: () => gone.abort(),
  };
}

/** The code with which a promise is refused. */
export async function refusalOf(promise: Promise<unknown>): Promise<RefusalCode> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  throw new Error('it was not refused');
}

/** The code with which a request is refused by an agent of its own. */
export async function refused(request: Request, options: { policy?: Policy } = {}): Promise<string> {
  const agent = await startAgent(tempFolder(), { runner: command('ok'), ...options });
  return refusalOf(agent.submit(await sealed(request), peerOf()));
}
