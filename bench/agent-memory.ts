/** The idle agent on every supported Node, started like its unit, compared with a bare TLS listener. */
import { join } from 'node:path';
import { NODES, nodeFolder } from '../scripts/nodes.ts';
import { messageOf } from '../src/errors.ts';
import { sleep } from '../src/util/clock.ts';
import { type AgentFolders, type AgentProcess, agentCommand } from '../tools/agent-process.ts';
import { PROGRAM } from '../tools/program.ts';
import { mediansOf, type Row, startAsUnit } from './measure.ts';
import { memoryOf } from './processes.ts';

const LISTENER = join(import.meta.dirname, 'bare-listener.mjs');
const ROUNDS = 3;
const CALM_MS = 3000;

export type IdlePlace = AgentFolders & { pkiDir: string; certname: string };

export async function* memoryRows(place: IdlePlace): AsyncGenerator<Row> {
  for (const version of NODES) yield await memoryRow(version, place);
}

async function memoryRow(version: string, place: IdlePlace): Promise<Row> {
  const what = `kick agent, idle, as its unit starts it, Node ${version.replace(/\..*/, '')}`;
  const promised = '<= 1.25 x';
  let nodePath: string;
  try {
    nodePath = await nodeFolder(version);
  } catch (error) {
    return { what, value: '-', beside: `not measured: ${messageOf(error)}`, promised };
  }
  const [agents, listeners]: [Idle[], Idle[]] = [[], []];
  while (agents.length < ROUNDS) {
    listeners.push(await idle(() => startAsUnit([LISTENER, place.pkiDir, place.certname], nodePath)));
    agents.push(await idle(() => startAsUnit(agentCommand(place, [PROGRAM]), nodePath)));
  }
  const [own, bare] = [mediansOf(agents), mediansOf(listeners)];
  const ratio = own.rss / bare.rss;
  return {
    what,
    value: `${ratio.toFixed(2)} x`,
    beside: `RSS ${own.rss.toFixed(1)} MB, a bare TLS listener ${bare.rss.toFixed(1)}; PSS ${own.pss.toFixed(1)}, ${bare.pss.toFixed(1)}`,
    promised,
    figures: { ratio, ...own, bareRss: bare.rss, barePss: bare.pss },
  };
}

interface Idle {
  /** MB. */
  rss: number;
  pss: number;
}

/** Of one that was started and asked nothing. */
async function idle(start: () => Promise<AgentProcess>): Promise<Idle> {
  const started = await start();
  await sleep(CALM_MS);
  const memory = memoryOf(started.pid);
  await started.kill();
  return memory;
}
