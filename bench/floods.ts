/** Floods of connections: how many of fifteen questions a controller has answered meanwhile, and what the agent needs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { httpsSender } from '../src/transport/https/client/client.ts';
import type { Sender, Target } from '../src/transport/transport.ts';
import { agentCommand } from '../tools/agent-process.ts';
import { mintCa } from '../tools/mint/mint-ca.ts';
import { PROGRAM } from '../tools/program.ts';
import { type Row, startAsUnit } from './measure.ts';
import { memoryOf } from './processes.ts';

const NAME = 'agent.bench';
const QUESTIONS = 15;

interface Flood {
  what: string;
  count: number;
  addresses: number;
  says: 'nothing' | 'hello';
  /** New ones a second, each with a whole ClientHello, instead of `count` that stay. */
  perSecond?: number;
  /** With another host's certificate. */
  hasCertificate?: boolean;
}

const FLOODS: readonly Flood[] = [
  { what: '64 idle connections from 8 addresses', count: 64, addresses: 8, says: 'nothing' },
  { what: '2,000 idle ones from 500 addresses', count: 2000, addresses: 500, says: 'nothing' },
  { what: "300 idle ones from the controller's own address", count: 300, addresses: 1, says: 'nothing' },
  { what: '2,000 that begin a handshake, from 500', count: 2000, addresses: 500, says: 'hello' },
  {
    what: "400 a second that begin a handshake, from the controller's own address",
    ...{ count: 0, addresses: 1, says: 'hello', perSecond: 400 },
  },
  {
    what: '400 a second that begin one, from 500',
    ...{ count: 0, addresses: 500, says: 'hello', perSecond: 400 },
  },
  {
    what: "1,100 idle ones with another host's certificate",
    count: 1100,
    addresses: 8,
    says: 'nothing',
    hasCertificate: true,
  },
];

export async function* floodRows(folder: string): AsyncGenerator<Row> {
  const own = join(folder, 'floods');
  mkdirSync(own, { recursive: true });
  const ca = mintCa();
  const pki = join(own, 'pki');
  ca.write(pki, ca.issue(NAME, { role: 'agent' }));
  const { key, certificate } = ca.issue('web9.bench', { role: 'agent' });
  const pem = join(own, 'stranger.pem');
  writeFileSync(pem, key + certificate, { mode: 0o600 });
  writeFileSync(join(own, 'agent.yaml'), JSON.stringify({ runner: 'command', command: ['/bin/true'] }));
  const identity = await ca.identity('puppet.bench');
  for (const flood of FLOODS) {
    const agent = await startAsUnit(agentCommand({ configDir: own, pkiDir: pki, certname: NAME }, [PROGRAM]));
    const sender = httpsSender({ identity, connectTimeoutMs: 5000 });
    try {
      const target = { certname: NAME, host: '127.0.0.1', port: agent.port };
      yield await during(flood, { pem, pid: agent.pid, sender, target });
    } finally {
      sender.close();
      await agent.kill();
    }
  }
}

interface Place {
  pem: string;
  pid: number;
  sender: Sender;
  target: Target;
}

async function during(flood: Flood, { pem, pid, sender, target }: Place): Promise<Row> {
  const { what, hasCertificate, ...shape } = flood;
  await ask(sender, target);
  const idle = memoryOf(pid).rss;
  const settings = { ...shape, port: target.port, ...(hasCertificate === true && { pem }) };
  const script = join(import.meta.dirname, 'flood.mjs');
  const flooder = spawn(process.execPath, [script, JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(flooder.stdout, 'data');
    let [served, worst, peak] = [0, 0, idle];
    for (let i = 0; i < QUESTIONS; i++) {
      const from = performance.now();
      if (await ask(sender, target)) served += 1;
      worst = Math.max(worst, performance.now() - from);
      peak = Math.max(peak, memoryOf(pid).rss);
    }
    return {
      what: `kick agent under ${what}`,
      value: `${served} of ${QUESTIONS} served`,
      beside: `the slowest in ${worst.toFixed(0)} ms; ${(peak - idle).toFixed(1)} MB more than idle`,
      promised: '15, within 1 s; 30 MB',
      figures: { served, worst, more: peak - idle },
    };
  } finally {
    flooder.kill('SIGKILL');
  }
}

function ask(sender: Sender, target: Target): Promise<boolean> {
  return sender.status(target, { signal: AbortSignal.timeout(10_000) }).then(
    () => true,
    () => false,
  );
}
