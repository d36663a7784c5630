/** What a real agent has stored: requests that are over, cancelled, waiting, set aside, and those whose runs ended while it was down. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { createRequestKeys } from '../../../src/agent/requests/request-keys.ts';
import type { Identity } from '../../../src/pki/identity.ts';
import { type Action, LIFETIME_S } from '../../../src/protocol/request.ts';
import { seal } from '../../../src/protocol/seal.ts';
import { httpsSender } from '../../../src/transport/https/client/client.ts';
import type { IncomingEvent, Sender, Target } from '../../../src/transport/transport.ts';
import { sleep } from '../../../src/util/clock.ts';
import { isAlive } from '../../../src/util/proc.ts';
import { quarantineOf } from '../../../src/util/quarantine.ts';
import { uuidv7 } from '../../../src/util/uuid.ts';
import { type AgentProcess, agentCommand } from '../../agent-process.ts';
import { freePort } from '../../loopback.ts';
import { mintCa } from '../../mint/mint-ca.ts';
import { copyRequest, type Model } from '../../stored-requests.ts';
import { filesBelow } from '../host.ts';
import type { Flavour, Kick } from './agent-flavours.ts';
import { startInTime } from './start.ts';

const AGENT = 'web1.example.com';
/** Nothing here gives up waiting. */
const WAIT_S = 86_400;

export interface AgentPlace {
  /** Folders `state` and `run`. */
  readonly folder: string;
  /** Below them: one name per file that is not of a request. */
  readonly singles: readonly string[];
  readonly model: Model<string>;
  /** A job whose record was damaged before: its mark and what is left of it are among the singles. */
  readonly setAside: string;
  /** A job that was pruned: its key is among the singles. */
  readonly gone: string;
  readonly sender: Sender;
  readonly target: Target;
  /** Starts the agent on what lies in `folder`. Throws `BrokenPromise` if it does not. */
  start(): Promise<AgentProcess>;
  readonly kick: Kick;
  /** The same folders again as they were when the model was made, without its requests. */
  renew(): void;
}

export async function openAgentPlace(base: string, flavour: Flavour): Promise<AgentPlace> {
  const [folder, etc, pki, whole] = ['place', 'etc', 'pki', 'model'].map((name) => join(base, name)) as [
    string,
    string,
    string,
    string,
  ];
  for (const path of [folder, etc]) mkdirSync(path, { recursive: true });
  const ca = mintCa();
  ca.write(pki, ca.issue(AGENT, { role: 'agent' }));
  const identity = await ca.identity('puppet.example.com');
  const sender = httpsSender({ identity });
  const config = { ...flavour.configure(base), queue_size: 10_000, pull: { runinterval: '30d' } };
  writeFileSync(
    join(etc, 'agent.yaml'),
    JSON.stringify({ ...config, metrics_file: join(base, 'kick.prom') }),
  );
  const port = await freePort();
  const target = { certname: AGENT, host: '127.0.0.1', port };
  const folders = { stateDir: join(folder, 'state'), runDir: join(folder, 'run') };
  const command = agentCommand({ configDir: etc, pkiDir: pki, certname: AGENT, port, ...folders });
  const start = () => startInTime(command, { what: 'the agent' });
  const kick: Kick = async (action = { op: 'run' }) => {
    const request = requestOf(identity, action);
    const body = await seal(request, { key: identity.key, chain: identity.chain });
    const { signal } = new AbortController();
    if (action.op === 'run')
      return { job: request.job, events: await sender.submit(target, body, { signal }) };
    await sender.command(target, body, { signal });
    return { job: request.job, events: (async function* () {})() };
  };
  const model = await makeModel(base, { flavour, folder, whole, start, kick });
  const singles = filesIn(whole, 'state', 'run');
  const renew = () => {
    rmSync(folder, { recursive: true, force: true });
    for (const name of ['state/requests', 'state/runs', 'run/runs'])
      mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
    for (const name of singles) {
      mkdirSync(dirname(join(folder, name)), { recursive: true, mode: 0o700 });
      cpSync(join(whole, name), join(folder, name));
    }
  };
  renew();
  const setAside = await makeSetAside(folder, { model, start, sender, target });
  const gone = await makeGone(folder, model);
  const left = [
    ...filesIn(folder, 'state/requests'),
    ...filesBelow(quarantineOf(join(folder, 'state'))).map((path) => relative(folder, path)),
  ];
  for (const name of left) {
    cpSync(join(folder, name), join(whole, name));
    singles.push(name);
  }
  return { folder, singles, sender, target, start, kick, model, setAside, gone, renew };
}

/** Names of files in folders, not of those below. */
function filesIn(base: string, ...folders: string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(base, folder), { withFileTypes: true })
      .filter((one) => one.isFile())
      .map((one) => join(folder, one.name)),
  );
}

/** A request of which only the key is left. Returns its job. */
async function makeGone(folder: string, model: Model<string>): Promise<string> {
  const { job, request, run } = copyRequest(model, 'settled', folder);
  rmSync(run, { recursive: true });
  await createRequestKeys(join(folder, 'state', 'requests'), () => {}).retire(basename(request));
  return job;
}

/** A request whose record an agent has found damaged: it has marked it, and set its folder aside. Returns its job. */
async function makeSetAside(
  folder: string,
  { model, start, sender, target }: Pick<AgentPlace, 'model' | 'start' | 'sender' | 'target'>,
): Promise<string> {
  const { job, request } = copyRequest(model, 'settled', folder);
  writeFileSync(join(request, 'request.json'), '{');
  const agent = await start();
  const { signal } = new AbortController();
  await until(await sender.resume(target, { job, after: 0, signal }), 'finished');
  await agent.kill('SIGKILL');
  return job;
}

function requestOf({ certname }: Identity, action: Action) {
  const now = Date.now();
  const iat = Math.floor(now / 1000);
  return {
    ...{ v: 1 as const, jti: uuidv7(now), job: uuidv7(now), attempt: 1, iss: certname, aud: AGENT },
    ...{ iat, exp: iat + LIFETIME_S, action, queue: { wait: WAIT_S } },
    by: { user: 'torture', uid: 0, host: 'puppet' },
  };
}

async function makeModel(
  base: string,
  { flavour, folder, whole, start, kick }: MakeOptions,
): Promise<Model<string>> {
  const [hold, apart] = [join(base, 'hold'), join(base, 'apart')];
  const runs = join(folder, 'run', 'runs');
  const jobs = await flavour.make({
    ...{ base, start, kick, until },
    hold: () => writeFileSync(hold, ''),
    async letEnd() {
      rmSync(hold);
      for (const run of readdirSync(runs)) {
        const { wrapper } = JSON.parse(readFileSync(join(runs, run, 'record.json'), 'utf8'));
        while (isAlive(wrapper)) await sleep(10);
      }
    },
    setApart() {
      for (const name of ['state/requests', 'run/runs']) {
        cpSync(join(folder, name), join(apart, name), { recursive: true });
        for (const one of readdirSync(join(folder, name)))
          rmSync(join(folder, name, one), { recursive: true });
      }
    },
  });
  cpSync(folder, whole, { recursive: true });
  cpSync(apart, whole, { recursive: true });
  return { folder: whole, jobs };
}

interface MakeOptions extends Pick<AgentPlace, 'start' | 'kick'> {
  flavour: Flavour;
  folder: string;
  /** Of the model. */
  whole: string;
}

async function until(events: AsyncIterable<IncomingEvent>, type: IncomingEvent['type']): Promise<void> {
  for await (const event of events) if (event.type === type) return;
  throw new Error(`no event "${type}" came`);
}
