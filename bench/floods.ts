/** Floods of connections: how many of fifteen questions a controller has answered meanwhile, and what the agent needs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Identity } from '../src/pki/identity.ts';
import { httpsSender } from '../src/transport/https/client/client.ts';
import { sleep } from '../src/util/clock.ts';
import { agentCommand } from '../tools/agent-process.ts';
import type { KeyType } from '../tools/mint/keys.ts';
import { mintCa } from '../tools/mint/mint-ca.ts';
import { PROGRAM } from '../tools/program.ts';
import { startHeldAgent } from '../tools/socket-holder.ts';
import { unitCommand } from '../tools/unit-command.ts';
import { type Flood, hasNetwork, PATIENCE_MS, underFlood } from './flooding.ts';
import { type Row, startAsUnit } from './measure.ts';

const NAME = 'agent.bench';
const MOST = 30;
const LOOK_MS = 20;

interface AgentFlood extends Flood {
  /** Of another host. */
  hasCertificate?: boolean;
  /** Of the agent; defaults to P-256. Puppet makes RSA-4096, with which a handshake costs several times as much. */
  keyType?: KeyType;
}

const FLOODS: readonly AgentFlood[] = [
  { what: '64 idle connections from 8 addresses', count: 64, addresses: 8 },
  { what: '2,000 idle ones from 500 addresses', count: 2000, addresses: 500 },
  { what: "300 idle ones from the controller's own address", count: 300, addresses: 1 },
  { what: '2,000 that begin a handshake, from 500', count: 2000, addresses: 500, says: 'hello' },
  {
    what: "400 a second that begin a handshake, from the controller's own address",
    ...{ perSecond: 400, addresses: 1 },
  },
  {
    what: '400 a second that begin one, from 500',
    ...{ perSecond: 400, addresses: 500 },
  },
  {
    what: "400 a second that begin one, from the controller's own, the agent's key being RSA-4096",
    ...{ perSecond: 400, addresses: 1, keyType: 'rsa-4096' },
  },
  {
    what: "400 a second that begin one, from 500, the agent's key being RSA-4096",
    ...{ perSecond: 400, addresses: 500, keyType: 'rsa-4096' },
  },
  {
    what: "1,100 idle ones with another host's certificate",
    count: 1100,
    addresses: 8,
    hasCertificate: true,
  },
];

/** Whoever connects wakes it, and the kernel keeps who comes before it listens. */
const HELD: readonly Flood[] = [
  { what: '2,000 idle ones from 500 addresses', count: 2000, addresses: 500 },
  {
    what: "400 a second that begin a handshake, from the controller's own address",
    perSecond: 400,
    addresses: 1,
  },
  { what: '400 a second that begin one, from 500', perSecond: 400, addresses: 500 },
];

const IPV6: Flood = {
  what: '2,000 that begin a handshake, from a /64',
  ...{ count: 2000, addresses: 2000, says: 'hello', host: '::1' },
};

export async function* floodRows(folder: string): AsyncGenerator<Row> {
  const own = join(folder, 'floods');
  mkdirSync(own, { recursive: true });
  const ca = mintCa();
  const pki = join(own, 'pki');
  const { key, certificate } = ca.issue('web9.bench', { role: 'agent' });
  const pem = join(own, 'stranger.pem');
  writeFileSync(pem, key + certificate, { mode: 0o600 });
  writeFileSync(join(own, 'agent.yaml'), JSON.stringify({ runner: 'command', command: ['/bin/true'] }));
  const identity = await ca.identity('puppet.bench');
  const command = agentCommand({ configDir: own, pkiDir: pki, certname: NAME }, [PROGRAM]);
  for (const { hasCertificate, keyType = 'p256', ...flood } of FLOODS) {
    ca.write(pki, ca.issue(NAME, { role: 'agent', keyType }));
    const hostile = { ...flood, ...(hasCertificate === true && { pem }) };
    yield await against(command, { identity, flood: hostile });
  }
  const asleep = join(own, 'asleep');
  mkdirSync(asleep);
  const idle = { runner: 'command', command: ['/bin/true'], idle_exit: '1s' };
  writeFileSync(join(asleep, 'agent.yaml'), JSON.stringify(idle));
  const sleeping = agentCommand({ configDir: asleep, pkiDir: pki, certname: NAME }, [PROGRAM]);
  for (const flood of HELD) yield await heldRow(sleeping, { identity, flood });
  if (await hasNetwork())
    yield await against([...command, '--bind', '::'], { identity, flood: IPV6, host: '::1' });
}

/** Asleep when the flood begins, which wakes it. */
async function heldRow(
  command: readonly string[],
  { identity, flood }: { identity: Identity; flood: Flood },
): Promise<Row> {
  const held = await startHeldAgent(unitCommand(command));
  const sender = httpsSender({ identity, connectTimeoutMs: 5000 });
  const target = { certname: NAME, host: '127.0.0.1', port: held.port };
  const pid = () => Number(held.lines.findLast(({ msg }) => msg === 'started')?.['pid']);
  try {
    return await underFlood(flood, {
      what: 'kick agent, asleep behind kick-agent.socket,',
      get pid() {
        return pid();
      },
      ...{ port: held.port, most: MOST },
      ask: () => sender.status(target, { signal: AbortSignal.timeout(PATIENCE_MS) }),
      async calm() {
        while (held.count('ended') === 0) await sleep(LOOK_MS);
      },
    });
  } finally {
    sender.close();
    await held.kill();
  }
}

async function against(
  command: readonly string[],
  { identity, flood, host = '127.0.0.1' }: { identity: Identity; flood: Flood; host?: string },
): Promise<Row> {
  const agent = await startAsUnit(command);
  const sender = httpsSender({ identity, connectTimeoutMs: 5000 });
  const target = { certname: NAME, host, port: agent.port };
  const ask = () => sender.status(target, { signal: AbortSignal.timeout(PATIENCE_MS) });
  try {
    return await underFlood(flood, {
      what: 'kick agent',
      ...{ pid: agent.pid, port: agent.port, ask, most: MOST },
    });
  } finally {
    sender.close();
    await agent.kill();
  }
}
