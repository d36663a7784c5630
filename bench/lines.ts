/** The way of what runs print to its reader: nothing is lost, and nothing piles up. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { sleep } from '../src/util/clock.ts';
import { agentCommand, startAgentProcess } from '../tools/agent-process.ts';
import { DEFAULTS } from '../tools/fleet/plan.ts';
import { startFleet } from '../tools/fleet/start-fleet.ts';
import { mintCa } from '../tools/mint/mint-ca.ts';
import { PROGRAM } from '../tools/program.ts';
import type { DispatchOptions } from './dispatch.ts';
import type { Row } from './measure.ts';
import { memoryOf } from './processes.ts';

const LINES = 100_000;
const EACH = 100;
const NAME = 'agent.bench';
const CONTROLLER = 'puppet.bench';

interface Read {
  lines: number;
  seconds: number;
  /** Peak in MB. */
  kickMb: number;
  agentMb: number;
}

export async function linesRows(options: DispatchOptions): Promise<Row[]> {
  return [...(await oneHost(options.folder)), ...(await manyHosts(options))];
}

async function oneHost(folder: string): Promise<Row[]> {
  const own = join(folder, 'lines');
  mkdirSync(own, { recursive: true });
  const pki = join(own, 'pki');
  const program = writeHost(own, pki);
  const common = ['--config-dir', own, '--pki-dir', pki];
  const agent = await startAgentProcess(agentCommand({ configDir: own, pkiDir: pki, certname: NAME }));
  const target = { name: NAME, uri: `127.0.0.1:${agent.port}` };
  writeFileSync(join(own, 'inventory.yaml'), JSON.stringify({ targets: [target] }));
  const identity = ['--certname', CONTROLLER, '--state-dir', join(own, 'kick')];
  const kick = ['run', NAME, '--verbose', ...common, ...identity];
  try {
    const pipe = spawn(program, { stdio: ['ignore', 'pipe', 'inherit'] });
    const bare = await readLines(pipe, { agent: agent.pid });
    const fast = await readLines(startKick(kick), { agent: agent.pid });
    const slow = await readLines(startKick(kick), { agent: agent.pid, pauseMs: 3000 });
    return rowsOf({ bare, fast, slow });
  } finally {
    await agent.kill();
  }
}

/** Returns the program that the agent runs. */
function writeHost(own: string, pki: string): string {
  const ca = mintCa();
  ca.write(pki, ca.issue(NAME, { role: 'agent' }));
  ca.write(pki, ca.issue(CONTROLLER));
  const program = join(own, 'talk');
  writeFileSync(program, `#!/bin/sh\nexec seq -f 'line %.0f of a run that has much to say' ${LINES}\n`, {
    mode: 0o755,
  });
  writeFileSync(join(own, 'agent.yaml'), JSON.stringify({ runner: 'command', command: [program] }));
  writeFileSync(join(own, 'controller.yaml'), 'puppetdb: false\n');
  return program;
}

function rowsOf({ bare, fast, slow }: Record<'bare' | 'fast' | 'slow', Read>): Row[] {
  const lost = (read: Read) => (read.lines === LINES ? 'none lost' : `${LINES - read.lines} LOST`);
  return [
    {
      what: `one host, ${LINES} lines, --verbose`,
      value: `${(LINES / fast.seconds / 1000).toFixed(0)} k/s`,
      beside: `${lost(fast)}; ${(fast.seconds / bare.seconds).toFixed(1)} x the program in a pipe`,
      promised: 'none lost',
      figures: { perSecond: LINES / fast.seconds, lines: fast.lines, pipeSeconds: bare.seconds },
    },
    {
      what: '  peak RSS of kick, and of the agent',
      value: `${fast.kickMb.toFixed(0)} MB`,
      beside: `agent ${fast.agentMb.toFixed(0)} MB`,
      promised: 'bounded',
      figures: { kickMb: fast.kickMb, agentMb: fast.agentMb },
    },
    {
      what: '  the same, with a reader that stops for 3 s',
      value: `${slow.kickMb.toFixed(0)} MB`,
      beside: `agent ${slow.agentMb.toFixed(0)} MB; ${lost(slow)}`,
      promised: '1 x',
      figures: { kickMb: slow.kickMb, agentMb: slow.agentMb, lines: slow.lines },
    },
  ];
}

const startKick = (args: readonly string[]) =>
  spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });

async function readLines(child: ChildProcess, { agent, pauseMs = 0 }: { agent: number; pauseMs?: number }) {
  const from = performance.now();
  const read: Read = { lines: 0, seconds: 0, kickMb: 0, agentMb: 0 };
  const timer = setInterval(() => {
    try {
      read.kickMb = Math.max(read.kickMb, memoryOf(child.pid ?? 0).rss);
      read.agentMb = Math.max(read.agentMb, memoryOf(agent).rss);
    } catch {
      // one of them is over
    }
  }, 50);
  if (child.stdout === null) throw new Error('no output');
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.includes('that has much to say')) continue;
    read.lines += 1;
    if (read.lines === 1000 && pauseMs > 0) await sleep(pauseMs);
  }
  clearInterval(timer);
  read.seconds = (performance.now() - from - pauseMs) / 1000;
  return read;
}

async function manyHosts({ hosts, keep }: DispatchOptions): Promise<Row[]> {
  const fleet = await startFleet({ ...DEFAULTS, hosts, keep, shape: { ...DEFAULTS.shape, logLines: EACH } });
  try {
    const from = performance.now();
    const args = ['run', '--all', '--format', 'jsonl', '--concurrency', '200', ...fleet.kickArgs()];
    const child = startKick(args);
    let lines = 0;
    let peak = 0;
    const timer = setInterval(() => {
      try {
        peak = Math.max(peak, memoryOf(child.pid ?? 0).rss);
      } catch {
        // it is over
      }
    }, 100);
    for await (const line of createInterface({ input: child.stdout })) {
      const { event } = JSON.parse(line) as { event?: { type: string; lines?: unknown[] } };
      if (event?.type === 'log') lines += event.lines?.length ?? 0;
    }
    clearInterval(timer);
    const seconds = (performance.now() - from) / 1000;
    return [
      {
        what: `${hosts} hosts, ${EACH} lines each, --format jsonl`,
        value: `${(lines / seconds / 1000).toFixed(1)} k/s`,
        beside: `${lines === hosts * EACH ? 'none lost' : `${hosts * EACH - lines} LOST`}; peak RSS ${peak.toFixed(0)} MB`,
        promised: 'none lost',
        figures: { perSecond: lines / seconds, lines, peakMb: peak },
      },
    ];
  } finally {
    await fleet.stop();
  }
}
