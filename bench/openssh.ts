/** A local sshd on 200 loopback addresses, for what people use instead of kick. Keys are made for the purpose. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { sleep } from '../src/util/clock.ts';
import { freePort } from '../tools/loopback.ts';

/** Maximum number of addresses of one sshd (MAX_LISTEN_SOCKS in its source). */
const ADDRESSES_EACH = 16;

export interface SshHosts {
  readonly addresses: readonly string[];
  /** ssh's configuration, for -F. */
  readonly config: string;
  stop(): void;
}

export async function startSshd(folder: string, count: number): Promise<SshHosts> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const at = (name: string) => join(folder, name);
  for (const name of ['host', 'user']) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at(name)]);
  }
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const addresses = Array.from({ length: count }, (_, i) => `127.200.${i >> 8}.${(i & 255) + 1}`);
  const port = await freePort(addresses[0]);
  const servers: ChildProcess[] = [];
  for (let i = 0; i < count; i += ADDRESSES_EACH) {
    const config = at(`sshd-${i}`);
    const lines = [
      ...addresses.slice(i, i + ADDRESSES_EACH).map((address) => `ListenAddress ${address}:${port}`),
      ...[`HostKey ${at('host')}`, `AuthorizedKeysFile ${at('user.pub')}`, 'StrictModes no', 'UsePAM no'],
      ...['PidFile none', 'PasswordAuthentication no', 'PermitRootLogin prohibit-password'],
      ...['MaxStartups 500', 'LogLevel ERROR'],
      // bash reads ~/.bashrc when sshd starts it, which must not be measured.
      `SetEnv HOME=${folder}`,
    ];
    writeFileSync(config, `${lines.join('\n')}\n`);
    servers.push(spawn('/usr/sbin/sshd', ['-D', '-e', '-f', config], { stdio: 'ignore' }));
  }
  const client = [
    `User ${userInfo().username}`,
    `IdentityFile ${at('user')}`,
    `Port ${port}`,
    ...['IdentitiesOnly yes', 'StrictHostKeyChecking no', 'UserKnownHostsFile /dev/null'],
    ...['LogLevel ERROR', 'BatchMode yes', 'ControlMaster no'],
  ];
  writeFileSync(at('client'), `${client.join('\n')}\n`, { mode: 0o600 });
  const stop = () => {
    for (const server of servers) server.kill('SIGTERM');
  };
  try {
    for (const address of addresses) await untilOpen(address, port);
  } catch (error) {
    stop();
    throw error;
  }
  return { addresses, config: at('client'), stop };
}

async function untilOpen(host: string, port: number): Promise<void> {
  for (let tries = 0; ; tries++) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect({ host, port });
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (isOpen) return;
    if (tries === 100) throw new Error(`sshd does not listen on ${host}`);
    await sleep(50);
  }
}
