/** What a kick waits for an agent that socket activation has to start first. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../src/errors.ts';
import type { Target } from '../src/transport/transport.ts';
import { sleep } from '../src/util/clock.ts';
import { agentCommand } from '../tools/agent-process.ts';
import { PROGRAM } from '../tools/program.ts';
import { type HeldAgent, startHeldAgent } from '../tools/socket-holder.ts';
import { unitCommand } from '../tools/unit-command.ts';
import type { IdlePlace } from './agent-memory.ts';
import { median, type Row, wallOfNode } from './measure.ts';

const ROUNDS = 7;
const LOOK_MS = 20;
/** The least that is allowed: it sleeps soon after each round. */
const IDLE = '1s';

/** `ask`: a request to its outcome. */
export async function sleepingRow(
  { pkiDir, certname, configDir }: IdlePlace,
  ask: (target: Target) => Promise<void>,
): Promise<Row> {
  const what = '  a kick at a sleeping agent (socket activation)';
  const promised = '<= 600 ms more';
  const own = join(configDir, 'sleeping');
  mkdirSync(own, { recursive: true });
  const config = { runner: 'command', command: ['/bin/true'], idle_exit: IDLE };
  writeFileSync(join(own, 'agent.yaml'), JSON.stringify(config));
  let held: HeldAgent;
  try {
    held = await startHeldAgent(unitCommand(agentCommand({ configDir: own, pkiDir, certname }, [PROGRAM])));
  } catch (error) {
    return { what, value: '-', beside: `not measured: ${messageOf(error)}`, promised };
  }
  const target = { certname, host: '127.0.0.1', port: held.port };
  const [sleeping, awake, bare]: [number[], number[], number[]] = [[], [], []];
  try {
    while (awake.length < ROUNDS) {
      sleeping.push(await msOf(() => ask(target)));
      awake.push(await msOf(() => ask(target)));
      bare.push(await wallOfNode(['-e', '0']));
      while (held.count('ended') < awake.length) await sleep(LOOK_MS);
    }
  } finally {
    await held.kill();
  }
  const [slow, fast, bareMs] = [median(sleeping), median(awake), median(bare)];
  return {
    what,
    value: `+${Math.round(slow - fast)} ms`,
    beside: `${Math.round(slow)} ms, awake ${Math.round(fast)} ms; node -e 0 ${Math.round(bareMs)} ms`,
    promised,
    figures: { ms: slow, awakeMs: fast, more: slow - fast, bareMs },
  };
}

async function msOf(work: () => Promise<void>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}
