/** The agent as a package starts it: one bundle with its own Node, beside a bare listener and beside dist on the same Node. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGED_NODE } from '../scripts/nodes.ts';
import { agentYaml } from '../scripts/package/agent-yaml.ts';
import { ownArchitecture } from '../scripts/package/node-runtime.ts';
import { writeTree } from '../scripts/package/tree.ts';
import { packagedUnit } from '../scripts/package/unit.ts';
import { messageOf } from '../src/errors.ts';
import { sleep } from '../src/util/clock.ts';
import { type AgentProcess, agentCommand, startAgentProcess } from '../tools/agent-process.ts';
import { PROGRAM } from '../tools/program.ts';
import { agentUnit } from '../tools/unit-command.ts';
import type { IdlePlace } from './agent-memory.ts';
import { mediansOf, type Row } from './measure.ts';
import { memoryOf } from './processes.ts';

const LISTENER = join(import.meta.dirname, 'bare-listener.mjs');
const ROUNDS = 5;
const CALM_MS = 3000;
const INSTALLED = '/usr/lib/kick';

interface Started {
  startMs: number;
  rss: number;
}

/** With the configuration that the package brings. */
export async function* packageRows(identity: IdlePlace, folder: string): AsyncGenerator<Row> {
  const what = `kick agent from its package, idle, Node ${PACKAGED_NODE.replace(/\..*/, '')}`;
  try {
    await writeTree(folder, { architecture: ownArchitecture(), origin: 'tar' });
  } catch (error) {
    yield { what, value: '-', beside: `not measured: ${messageOf(error)}`, promised: '<= 1.15 x' };
    return;
  }
  const lib = join(folder, INSTALLED);
  const place = { ...identity, configDir: join(folder, 'etc') };
  mkdirSync(place.configDir, { recursive: true });
  writeFileSync(join(place.configDir, 'agent.yaml'), agentYaml());
  const start = startOfUnit();
  const [bundle, dist, bare]: [Started[], Started[], Started[]] = [[], [], []];
  while (bundle.length < ROUNDS) {
    const [node = '', ...flags] = start.map((word) => word.replace(INSTALLED, lib));
    const run = (...words: string[]) =>
      startAgentProcess([node, ...flags, ...words], { env: { NODE_OPTIONS: '' } });
    bare.push(await measured(() => run(LISTENER, place.pkiDir, place.certname)));
    bundle.push(await measured(() => run(...agentCommand(place, [join(lib, 'kick.mjs')]))));
    dist.push(await measured(() => run(...agentCommand(place, [PROGRAM]))));
  }
  const [own, before, least] = [mediansOf(bundle), mediansOf(dist), mediansOf(bare)];
  const ratio = own.rss / least.rss;
  yield {
    what,
    value: `${ratio.toFixed(3)} x`,
    beside: `RSS ${own.rss.toFixed(1)} MB, a bare TLS listener ${least.rss.toFixed(1)}, the agent of dist ${before.rss.toFixed(1)}; ${ROUNDS} rounds`,
    promised: '<= 1.15 x',
    figures: { ratio, rss: own.rss, bareRss: least.rss, distRss: before.rss },
  };
  yield {
    what: '  start-up, to the first line "listening"',
    value: `${(own.startMs / before.startMs).toFixed(2)} x`,
    beside: `${own.startMs.toFixed(0)} ms, dist on the same Node ${before.startMs.toFixed(0)} ms`,
    promised: '<= 1 x',
    figures: { startMs: own.startMs, distMs: before.startMs },
  };
}

/** Node and its flags, as the packaged unit has them. */
function startOfUnit(): string[] {
  const [, line = ''] =
    /^ExecStart=(.*) \/usr\/lib\/kick\/kick\.mjs agent$/m.exec(packagedUnit(agentUnit())) ?? [];
  if (line === '') throw new Error('the packaged unit starts the agent in another way');
  return line.split(' ');
}

async function measured(start: () => Promise<AgentProcess>): Promise<Started> {
  const from = performance.now();
  const started = await start();
  const startMs = performance.now() - from;
  await sleep(CALM_MS);
  const { rss } = memoryOf(started.pid);
  await started.kill();
  return { startMs, rss };
}
