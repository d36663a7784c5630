/** The agent compared with a bare listener: idle memory, the cost of requests, and no growth. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Job } from '../src/controller/jobs/job.ts';
import { sealedRequest } from '../src/controller/jobs/seal-request.ts';
import type { loadIdentity } from '../src/pki/load-identity.ts';
import { httpsSender } from '../src/transport/https/client/client.ts';
import type { Sender, Target } from '../src/transport/transport.ts';
import { sleep } from '../src/util/clock.ts';
import { uuidv7 } from '../src/util/uuid.ts';
import { agentCommand } from '../tools/agent-process.ts';
import { type MintedCa, mintCa } from '../tools/mint/mint-ca.ts';
import { PROGRAM } from '../tools/program.ts';
import { memoryRows } from './agent-memory.ts';
import { type Row, startAsUnit } from './measure.ts';
import { packageRows } from './package.ts';
import { cpuOfProcess, memoryOf } from './processes.ts';
import { separatedRow } from './separated.ts';
import { sleepingRow } from './sleeping.ts';

const NAME = 'agent.bench';
const RUNS = 40;
const CALM_MS = 3000;

const mb = (value: number) => `${value.toFixed(1)} MB`;
const ms = (value: number) => `${value.toFixed(1)} ms`;

export async function* agentRows(folder: string, requests: number): AsyncGenerator<Row> {
  const own = join(folder, 'agent');
  mkdirSync(own, { recursive: true });
  const ca = mintCa();
  const pki = join(own, 'pki');
  ca.write(pki, ca.issue(NAME, { role: 'agent' }));
  writeFileSync(join(own, 'agent.yaml'), JSON.stringify({ runner: 'command', command: ['/bin/true'] }));
  const folders = { configDir: own, pkiDir: pki, certname: NAME };
  yield* memoryRows(folders);
  yield await separatedRow(folders);
  yield* packageRows(folders, join(own, 'package'));
  const from = performance.now();
  const agent = await startAsUnit(agentCommand(folders, [PROGRAM]));
  const startMs = performance.now() - from;
  try {
    const target = { certname: NAME, host: '127.0.0.1', port: agent.port };
    const controller = await ca.identity('puppet.bench');
    const sender = httpsSender({ identity: controller });
    const accepted = await costOf(agent.pid, RUNS, () => run(sender, controller, target));
    const refused = await costOfRefused(ca, agent.pid, target);
    const after1 = memoryOf(agent.pid);
    await many(requests, () => sender.status(target, { signal: new AbortController().signal }));
    await sleep(CALM_MS);
    const after = memoryOf(agent.pid);
    sender.close();
    yield* [
      {
        what: 'kick agent, CPU of an accepted request, to its outcome',
        value: ms(accepted),
        beside: `${RUNS} runs of /bin/true; the runs themselves not counted`,
        promised: '-',
        figures: { ms: accepted },
      },
      {
        what: '  CPU of a refused request',
        value: ms(refused),
        beside: `${(refused / accepted).toFixed(2)} x an accepted one`,
        promised: '-',
        figures: { ms: refused },
      },
      {
        what: '  start-up, to the first line "listening"',
        value: ms(startMs),
        beside: '',
        promised: '-',
        figures: { ms: startMs },
      },
      {
        what: `  RSS after ${requests} requests`,
        value: mb(after.rss),
        beside: `${(after.rss / after1.rss).toFixed(2)} x after the first ${RUNS} (${mb(after1.rss)})`,
        promised: 'flat',
        figures: { rss: after.rss, first: after1.rss },
      },
    ];
  } finally {
    await agent.kill();
  }
  const identity = await ca.identity('puppet.bench');
  const sender = httpsSender({ identity });
  yield await sleepingRow(folders, (target) => run(sender, identity, target));
  sender.close();
}

/** Milliseconds of the agent's CPU per request. */
async function costOf(pid: number, count: number, ask: () => Promise<unknown>): Promise<number> {
  await ask(); // the first loads modules that only requests need
  const before = cpuOfProcess(pid);
  for (let i = 0; i < count; i++) await ask();
  return (cpuOfProcess(pid) - before) / count;
}

type Controller = Awaited<ReturnType<typeof loadIdentity>>;

async function run(sender: Sender, identity: Controller, target: Target): Promise<void> {
  const job: Job = {
    id: uuidv7(Date.now()),
    controller: identity.certname,
    action: { op: 'run' },
    by: { user: 'bench', uid: 0, host: 'here' },
    targets: [target],
    concurrency: 1,
  };
  const body = await sealedRequest(job, target.certname, { identity, now: Date.now() });
  for await (const event of await sender.submit(target, body, { signal: new AbortController().signal })) {
    if (event.type === 'finished' && event.outcome !== 'unchanged') throw new Error(event.outcome);
  }
}

/** With a certificate of our CA that is not a controller's. */
async function costOfRefused(ca: MintedCa, pid: number, target: Target): Promise<number> {
  const stranger = await ca.identity('stranger.bench', { ppCliAuth: false });
  const sender = httpsSender({ identity: stranger });
  const cost = await costOf(pid, 100, () =>
    run(sender, stranger, target).then(
      () => Promise.reject(new Error('it was not refused')),
      () => {},
    ),
  );
  sender.close();
  return cost;
}

async function many(count: number, ask: () => Promise<unknown>): Promise<void> {
  let left = count;
  const worker = async () => {
    while (left-- > 0) await ask();
  };
  await Promise.all(Array.from({ length: 4 }, worker));
}
