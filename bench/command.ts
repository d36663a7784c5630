/** How long a kick takes around a run that does nothing. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '../src/util/clock.ts';
import { agentCommand, startAgentProcess } from '../tools/agent-process.ts';
import { mintCa } from '../tools/mint/mint-ca.ts';
import {
  BARE_CLIENT,
  type Measuring,
  median,
  type Row,
  timedKick,
  wallOfNode,
  writeInventory,
} from './measure.ts';
import { presign } from './presigned.ts';

/** How long the run takes. */
const RUN_MS = 300;

const AGENT = 'agent.bench';
const CONTROLLER = 'controller.bench';

const ms = (value: number) => `${Math.round(value)} ms`;
const ratio = (a: number, b: number) => `${(a / b).toFixed(2)} x`;

interface Times {
  /** kick started -> command began. */
  starts: number[];
  /** Command ended -> outcome printed. */
  ends: number[];
  /** A bare Node client started -> its first event. */
  bare: number[];
}

/** The command notes when it began and ended, so that kick is measured and not the run. */
export async function commandRows(folder: string, { rounds, bareMs }: Measuring): Promise<Row[]> {
  const times = await measure(folder, rounds);
  const [start, end, bare] = [median(times.starts), median(times.ends), median(times.bare)];
  return [
    {
      what: 'kick started -> command began (runner: command)',
      value: ms(start),
      beside: `${ratio(start, bareMs)} node -e 0`,
      promised: '<= 250 ms',
      figures: { ms: start, bareMs },
    },
    {
      what: '  a bare Node client started -> its first event',
      value: ms(bare),
      beside: `${ratio(bare, bareMs)} node -e 0: the minimum for any kick`,
      promised: '-',
      figures: { ms: bare },
    },
    {
      what: 'command ended -> outcome printed',
      value: ms(end),
      beside: `${ratio(end, bareMs)} node -e 0`,
      promised: '<= 150 ms',
      figures: { ms: end },
    },
  ];
}

async function measure(folder: string, rounds: number): Promise<Times> {
  const pki = join(folder, 'pki');
  const ca = mintCa();
  ca.write(pki, ca.issue(AGENT, { role: 'agent' }));
  ca.write(pki, ca.issue(CONTROLLER));
  const times = join(folder, 'times');
  writeConfig(folder, times);
  const common = ['--config-dir', folder, '--pki-dir', pki];
  const own = { configDir: folder, stateDir: join(folder, 'agent'), pkiDir: pki, certname: AGENT };
  const agent = await startAgentProcess(agentCommand(own));
  writeInventory(folder, AGENT, agent);
  const kickArgs = [AGENT, ...common, '--state-dir', join(folder, 'kick'), '--certname', CONTROLLER];
  const target = { certname: AGENT, host: '127.0.0.1', port: agent.port };
  const requests = join(folder, 'requests');
  const measured: Times = { starts: [], ends: [], bare: [] };
  try {
    for (let i = 0; i <= rounds; i++) {
      const { spawnedAt, printedAt } = await timedKick(kickArgs);
      const [began = 0, ended = 0] = readFileSync(times, 'utf8')
        .trim()
        .split('\n')
        .map((ns) => Number(ns) / 1e6);
      if (i === 0) continue; // the first warms the disk's cache
      measured.starts.push(began - spawnedAt);
      measured.ends.push(printedAt - ended);
      await presign([target], { path: requests, pki, controller: CONTROLLER });
      measured.bare.push(await wallOfNode([BARE_CLIENT, requests, pki, CONTROLLER, '1']));
      await sleep(2 * RUN_MS); // until its run is over
    }
  } finally {
    await agent.kill();
  }
  return measured;
}

function writeConfig(folder: string, times: string): void {
  const program = join(folder, 'noted-run');
  const note = 'date +%s%N';
  writeFileSync(program, `#!/bin/sh\n${note} >"${times}"\nsleep ${RUN_MS / 1000}\n${note} >>"${times}"\n`, {
    mode: 0o755,
  });
  writeFileSync(join(folder, 'agent.yaml'), JSON.stringify({ runner: 'command', command: [program] }));
}
