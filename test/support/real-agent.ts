/** The real `kick agent` as a process of its own, to be killed with real signals. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Identity } from '../../src/pki/identity.ts';
import type { FinishedEvent } from '../../src/protocol/event.ts';
import { seal } from '../../src/protocol/seal.ts';
import { httpsSender } from '../../src/transport/https/client/client.ts';
import { type IncomingEvent, SendError, type Sender, type Target } from '../../src/transport/transport.ts';
import { uuidv7 } from '../../src/util/uuid.ts';
import { PROGRAM } from './build.ts';
import { type MintedCa, mintCa } from './minted-ca.ts';

/** Of the agent. */
export const NAME = 'agent1.example.com';
const CONTROLLER = 'puppet.example.com';

export interface RealAgent {
  readonly target: Target;
  readonly process: ChildProcess;
  kill(signal: NodeJS.Signals): Promise<void>;
}

export interface AgentPlace {
  readonly ca: MintedCa;
  readonly controller: Identity;
  readonly sender: Sender;
  readonly stateDir: string;
  readonly runDir: string;
  /** Starts an agent in this place and waits until it listens; on the port of the first. */
  start(): Promise<RealAgent>;
  request(job?: string): Promise<{ job: string; body: Uint8Array }>;
}

export interface AgentSite {
  readonly ca: MintedCa;
  readonly stateDir: string;
  readonly runDir: string;
  /** Node's arguments for the agent, on this port. */
  argv(port: number): string[];
}

/** Certificates, configuration and folders of an agent with a fixed command, below `folder`. */
export async function agentSite(folder: string, config: object): Promise<AgentSite> {
  const ca = mintCa();
  const [pki, etc] = [join(folder, 'pki'), join(folder, 'etc')];
  const [stateDir, runDir] = [join(folder, 'state'), join(folder, 'run')];
  await ca.write(pki, NAME, ca.issue(NAME, { role: 'agent', ppCliAuth: false }));
  mkdirSync(etc);
  writeFileSync(join(etc, 'agent.yaml'), JSON.stringify({ runner: 'command', ...config }));
  return {
    ca,
    stateDir,
    runDir,
    argv: (port) => [
      ...[PROGRAM, 'agent', '--port', String(port), '--bind', '127.0.0.1'],
      ...['--config-dir', etc, '--state-dir', stateDir, '--run-dir', runDir],
      ...['--pki-dir', pki, '--certname', NAME],
    ],
  };
}

/** Everything that an agent with a fixed command needs, below `folder`. */
export async function agentPlace(
  folder: string,
  command: readonly string[],
  extra: object = {},
): Promise<AgentPlace> {
  const { ca, stateDir, runDir, argv } = await agentSite(folder, { command, kill_grace: '1s', ...extra });
  const controller = await ca.identity(CONTROLLER);
  let port = 0;
  return {
    ca,
    controller,
    stateDir,
    runDir,
    sender: httpsSender({ identity: controller }),
    async start() {
      const child = spawn(process.execPath, argv(port), { stdio: ['ignore', 'pipe', 'inherit'] });
      port = await portOf(child);
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      return {
        process: child,
        target: { certname: NAME, host: '127.0.0.1', port },
        async kill(signal) {
          child.kill(signal);
          await ended;
        },
      };
    },
    async request(job = uuidv7(Date.now())) {
      const iat = Math.floor(Date.now() / 1000);
      const body = await seal(
        {
          ...{
            v: 1,
            jti: uuidv7(Date.now()),
            job,
            attempt: 1,
            iss: CONTROLLER,
            aud: NAME,
            iat,
            exp: iat + 300,
          },
          action: { op: 'run' },
          by: { user: 'tester', uid: 0, host: 'here' },
        },
        { key: controller.key, chain: controller.chain },
      );
      return { job, body };
    },
  };
}

/** A signal that never comes: what hangs is ended by the test's own limit. */
export const anySignal = (): AbortSignal => new AbortController().signal;

/** Where it listens, from its log. */
export async function portOf(child: ChildProcess): Promise<number> {
  if (child.stdout === null) throw new Error('no output');
  for await (const line of createInterface({ input: child.stdout })) {
    const { msg, port } = JSON.parse(line) as { msg?: string; port?: number };
    if (msg !== 'listening' || port === undefined) continue;
    child.stdout.resume();
    return port;
  }
  throw new Error('the agent ended before it listened');
}

/** Reads a stream up to an event of a type; undefined when it ends before. */
export async function readUntil<T extends IncomingEvent['type']>(
  stream: AsyncIterable<IncomingEvent>,
  type: T,
): Promise<(IncomingEvent & { type: T }) | undefined> {
  for await (const event of stream) if (event.type === type) return event as IncomingEvent & { type: T };
  return undefined;
}

/** Asks until the job has its outcome, however often the agent dies meanwhile. */
export async function outcomeOf(place: AgentPlace, target: Target, job: string): Promise<FinishedEvent> {
  for (;;) {
    try {
      const stream = await place.sender.resume(target, job, 0, anySignal());
      const finished = await readUntil(stream, 'finished');
      if (finished !== undefined) return finished;
    } catch (error) {
      if (!(error instanceof SendError)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
