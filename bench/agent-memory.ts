/** The idle agent on every Node that it is for, as its unit starts it, beside a bare TLS listener started alike. */
import { join } from 'node:path';
import { NODES, nodeFolder } from '../scripts/nodes.ts';
import { messageOf } from '../src/errors.ts';
import { sleep } from '../src/util/clock.ts';
import { agentWords, type BenchAgent, mediansOf, type Row, startAsUnit } from './measure.ts';
import { memoryOf } from './processes.ts';

const LISTENER = join(import.meta.dirname, 'bare-listener.mjs');
const ROUNDS = 3;
const CALM_MS = 3000;

export interface IdlePlace {
  /** Arguments of `kick agent`. */
  args: readonly string[];
  pki: string;
  certname: string;
}

export async function* memoryRows(place: IdlePlace): AsyncGenerator<Row> {
  for (const version of NODES) yield await memoryRow(version, place);
}

async function memoryRow(version: string, { args, pki, certname }: IdlePlace): Promise<Row> {
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
    listeners.push(await idle(() => startAsUnit([LISTENER, pki, certname], nodePath)));
    agents.push(await idle(() => startAsUnit(agentWords(args), nodePath)));
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

/** Of one that is started and asked nothing. */
async function idle(start: () => Promise<BenchAgent>): Promise<Idle> {
  const started = await start();
  await sleep(CALM_MS);
  const memory = memoryOf(started.pid);
  await started.stop();
  return memory;
}
