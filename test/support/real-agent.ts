/** The real `kick agent` as a process of its own, to be killed with real signals. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Identity } from '../../src/pki/identity.ts';
import type { FinishedEvent } from '../../src/protocol/event.ts';
import { seal } from '../../src/protocol/seal.ts';
import { httpsSender } from '../../src/transport/https/client/client.ts';
import { type IncomingEvent, SendError, type Sender, type Target } from '../../src/transport/transport.ts';
import { uuidv7 } from '../../src/util/uuid.ts';
import {
  type AgentProcess,
  agentCommand,
  type StartOptions,
  startAgentProcess,
} from '../../tools/agent-process.ts';
import { freePort } from '../../tools/loopback.ts';
import { type MintedCa, mintCa } from '../../tools/mint/mint-ca.ts';
import { afterwards } from './afterwards.ts';

/** Of the agent. */
export const NAME = 'agent1.example.com';
const CONTROLLER = 'puppet.example.com';

export interface RealAgent extends AgentProcess {
  readonly target: Target;
}

export interface AgentSite {
  readonly ca: MintedCa;
  readonly stateDir: string;
  readonly runDir: string;
  /** The agent's command, on this port. `kick`: what runs the program. */
  command(options?: { port?: number; kick?: readonly string[] }): string[];
  /** Adds to agent.yaml. */
  configure(more: object): void;
}

/** Certificates, configuration (`etc`) and folders of an agent with a fixed command, below `folder`. */
export function agentSite(folder: string, config: object): AgentSite {
  const ca = mintCa();
  const [pkiDir, configDir] = [join(folder, 'pki'), join(folder, 'etc')];
  const [stateDir, runDir] = [join(folder, 'state'), join(folder, 'run')];
  ca.write(pkiDir, ca.issue(NAME, { role: 'agent' }));
  mkdirSync(configDir);
  const configure = (more: object) =>
    writeFileSync(join(configDir, 'agent.yaml'), JSON.stringify({ runner: 'command', ...config, ...more }));
  configure({});
  return {
    ...{ ca, stateDir, runDir, configure },
    command: ({ port = 0, kick } = {}) =>
      agentCommand({ configDir, stateDir, runDir, pkiDir, certname: NAME, port }, kick),
  };
}

/** Starts an agent's command; killed when the test has finished. */
export function startRealAgent(
  command: readonly string[],
  options: Omit<StartOptions, 'onSpawn'> = {},
): Promise<AgentProcess> {
  return startAgentProcess(command, {
    ...options,
    onSpawn: (child) => afterwards(() => child.kill('SIGKILL')),
  });
}

export interface AgentPlace {
  readonly ca: MintedCa;
  readonly controller: Identity;
  readonly sender: Sender;
  readonly stateDir: string;
  readonly runDir: string;
  /** Starts an agent in this place and waits until it listens; always on the same port. */
  start(): Promise<RealAgent>;
  request(job?: string): Promise<{ job: string; body: Uint8Array }>;
}

/** Everything that an agent with a fixed command needs, below `folder`. */
export async function agentPlace(folder: string, command: readonly string[]): Promise<AgentPlace> {
  const site = agentSite(folder, { command, kill_grace: '1s' });
  const { ca, stateDir, runDir } = site;
  const controller = await ca.identity(CONTROLLER);
  const port = await freePort();
  return {
    ...{ ca, controller, stateDir, runDir },
    sender: httpsSender({ identity: controller }),
    async start() {
      const agent = await startRealAgent(site.command({ port }));
      return { ...agent, target: { certname: NAME, host: '127.0.0.1', port } };
    },
    request: (job) => requestFor(controller, job),
  };
}

/** A request to run, signed by the controller. */
export async function requestFor(
  { certname, key, chain }: Identity,
  job = uuidv7(Date.now()),
): Promise<{ job: string; body: Uint8Array }> {
  const iat = Math.floor(Date.now() / 1000);
  const body = await seal(
    {
      ...{ v: 1, jti: uuidv7(Date.now()), job, attempt: 1, iss: certname, aud: NAME },
      ...{ iat, exp: iat + 300, action: { op: 'run' }, by: { user: 'tester', uid: 0, host: 'here' } },
    },
    { key, chain },
  );
  return { job, body };
}

/** A signal that never comes: what hangs is ended by the test's own limit. */
export const anySignal = (): AbortSignal => new AbortController().signal;

/** Reads a stream up to an event of a type; undefined when it ends before. */
export async function readUntil<T extends IncomingEvent['type']>(
  stream: AsyncIterable<IncomingEvent>,
  type: T,
): Promise<(IncomingEvent & { type: T }) | undefined> {
  for await (const event of stream) if (event.type === type) return event as IncomingEvent & { type: T };
  return undefined;
}

/** Asks until the job has its outcome, however often the agent dies meanwhile. */
export const outcomeOf = (place: AgentPlace, target: Target, job: string): Promise<FinishedEvent> =>
  outcomeIn(place.sender, target, job);

export async function outcomeIn(sender: Sender, target: Target, job: string): Promise<FinishedEvent> {
  for (;;) {
    try {
      const stream = await sender.resume(target, { job, after: 0, signal: anySignal() });
      const finished = await readUntil(stream, 'finished');
      if (finished !== undefined) return finished;
    } catch (error) {
      if (!(error instanceof SendError)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
