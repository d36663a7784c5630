/** The agent in two processes (DESIGN 14), idle, compared with the one process that it replaces. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '../src/util/clock.ts';
import { agentCommand, startAgentProcess } from '../tools/agent-process.ts';
import { PROGRAM } from '../tools/program.ts';
import { type AgentUnit, unitCommand } from '../tools/unit-command.ts';
import type { IdlePlace } from './agent-memory.ts';
import { mediansOf, type Row } from './measure.ts';
import { memoryOf } from './processes.ts';

const ROUNDS = 5;
const CALM_MS = 3000;

/**
 * What a page costs that several processes share is divided by how many they are. So both forms run on a Node that nobody
 * else on this machine runs: what they share, they share with each other only.
 */
export async function separatedRow(
  place: IdlePlace,
  what = '  in two processes, idle: PSS of both',
): Promise<Row> {
  const folder = join(place.configDir, 'own-node');
  mkdirSync(folder, { recursive: true });
  copyFileSync(process.execPath, join(folder, 'node'));
  const socket = join(place.configDir, 'helper.sock');
  const start = (unit: AgentUnit, ...more: string[]) =>
    startAgentProcess(unitCommand([...agentCommand(place, [PROGRAM]), ...more], unit), {
      env: { ...process.env, NODE_OPTIONS: '', PATH: `${folder}:${process.env['PATH'] ?? ''}` },
    });
  const rounds: Record<'one' | 'both' | 'bothRss' | 'listener' | 'helper' | 'oneRss' | 'asleep', number>[] =
    [];
  while (rounds.length < ROUNDS) {
    const agent = await start('kick-agent');
    await sleep(CALM_MS);
    const { pss: one, rss: oneRss } = memoryOf(agent.pid);
    await agent.kill();
    const helper = await start('kick-helper', '--take-from', socket);
    const listener = await start('kick-listener', '--pass-to', socket);
    await sleep(CALM_MS);
    const [front, root] = [memoryOf(listener.pid), memoryOf(helper.pid)];
    await helper.kill();
    const { pss: asleep } = memoryOf(listener.pid);
    await listener.kill();
    rounds.push({
      ...{ one, oneRss, asleep },
      ...{ both: front.pss + root.pss, listener: front.rss, helper: root.rss, bothRss: front.rss + root.rss },
    });
  }
  const found = mediansOf(rounds);
  const { one, both, bothRss, oneRss, asleep, listener, helper } = found;
  return {
    what,
    value: `${(both / one).toFixed(2)} x`,
    beside:
      `${both.toFixed(1)} MB, one process ${one.toFixed(1)}; helper asleep ${asleep.toFixed(1)} (${(asleep / one).toFixed(2)} x); ` +
      `RSS ${listener.toFixed(1)} + ${helper.toFixed(1)}, ${(bothRss / oneRss).toFixed(2)} x ${oneRss.toFixed(1)}`,
    promised: '<= 1.4 x',
    figures: { ratio: both / one, ...found },
  };
}
