/** The socket that systemd hands over, as sd_listen_fds(3) says; what else may be in its place. */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { openSync, renameSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { takeSocket } from '../../src/cli/agent/systemd-socket.ts';
import { httpsSender } from '../../src/transport/https/client/client.ts';
import { startAgentProcess } from '../../tools/agent-process.ts';
import { afterwards } from '../support/afterwards.ts';
import { ended } from '../support/kick.ts';
import { agentSite, anySignal, NAME } from '../support/real-agent.ts';
import { separatedAgent } from '../support/separated-agent.ts';
import { tempFolder } from '../support/temp.ts';

const OURS = { LISTEN_PID: '77', LISTEN_FDS: '1', LISTEN_FDNAMES: 'kick-agent.socket' };

test('takeSocket takes the one socket that is meant for this process, and leaves no variable', () => {
  const env = { ...OURS, LISTEN_PIDFDID: '1', PATH: '/bin' };
  expect(takeSocket(env, 77)).toBe(3);
  expect(env).toEqual({ PATH: '/bin' });
});

test.each([
  ['nothing', {}],
  ["another process's", { ...OURS, LISTEN_PID: '78' }],
  ['no process', { ...OURS, LISTEN_PID: '' }],
  ['a process that is no number', { ...OURS, LISTEN_PID: '77 ' }],
  ['no number of sockets', { LISTEN_PID: '77' }],
])('takeSocket ignores %s, and removes it', (_what, env) => {
  expect(takeSocket(env, 77)).toBeUndefined();
  expect(env).toEqual({});
});

test.each(['2', '0', '-1', '1x', ''])('takeSocket refuses LISTEN_FDS=%s', (count) => {
  expect(() => takeSocket({ ...OURS, LISTEN_FDS: count }, 77)).toThrow(
    expect.objectContaining({ code: 'config', message: expect.stringContaining(`hands over "${count}"`) }),
  );
});

/** The agent's command, as systemd starts it: a descriptor, and the pid of what is executed. */
function activated(command: readonly string[]): string[] {
  const script = 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=kick exec "$@"';
  return ['/bin/sh', '-c', script, 'sh', ...command];
}

/** Node has no public name for it. */
const descriptorOf = (of: unknown) => (of as { _handle: { fd: number } })._handle.fd;

async function listening(where: string | number): Promise<Server> {
  const server = createServer();
  afterwards(() => server.close());
  await new Promise<void>((resolve) => {
    if (typeof where === 'string') server.listen(where, resolve);
    else server.listen(where, '127.0.0.1', resolve);
  });
  return server;
}

/** Each makes a descriptor that is no TCP socket that listens. */
const strange: Readonly<Record<string, (folder: string) => Promise<number>>> = {
  async 'a file'() {
    return openSync('/dev/null', 'r');
  },
  async 'a socket of this machine only'(folder) {
    return descriptorOf(await listening(join(folder, 'socket')));
  },
  async 'a UDP socket'() {
    const socket = createSocket('udp4');
    afterwards(() => socket.close());
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return (socket as unknown as Record<symbol, { handle: { fd: number } }>)[
      Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol') as symbol
    ]?.handle.fd as number;
  },
  async 'a connection (Accept=yes)'() {
    const server = await listening(0);
    const socket = connect((server.address() as { port: number }).port, '127.0.0.1');
    afterwards(() => socket.destroy());
    await once(socket, 'connect');
    return descriptorOf(socket);
  },
};

test.each(Object.keys(strange))('an agent that is handed %s says so, and exits with 2', async (what) => {
  const folder = tempFolder();
  const { command } = agentSite(folder, { command: ['/bin/true'] });
  const descriptor = await strange[what]?.(folder);
  const [program = '', ...args] = activated(command());
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe', descriptor ?? 'ignore'] });
  const { code, err } = await ended(child);
  expect(err).toContain('listening on descriptor 3: it is no TCP socket that listens (');
  expect(code).toBe(2);
});

test('an agent that is handed no descriptor at all says so', async () => {
  const { command } = agentSite(tempFolder(), { command: ['/bin/true'] });
  const [program = '', ...args] = activated(command());
  const { code, err } = await ended(spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] }));
  expect(err).toContain('listening on descriptor 3: it is no TCP socket that listens (');
  expect(code).toBe(2);
});

test('an agent answers on the socket that it is handed, whatever its port and address would be', async () => {
  const { command, ca } = agentSite(tempFolder(), { command: ['/bin/true'], idle_exit: false });
  const server = await listening(0);
  const { port } = server.address() as { port: number };
  const agent = await startAgentProcess(activated(command({ port: 1 })), {
    inherit: descriptorOf(server),
    onSpawn: (child) => afterwards(() => child.kill('SIGKILL')),
  });
  server.close(); // or it would take connections as well
  expect(agent.port).toBe(port);
  const sender = httpsSender({ identity: await ca.identity('puppet.example.com') });
  const target = { certname: NAME, host: '127.0.0.1', port };
  expect(await sender.status(target, { signal: anySignal() })).toMatchObject({ certname: NAME });
  sender.close();
});

test('a helper takes requests on the socket that it is handed, and not on a port', async () => {
  const place = await separatedAgent(tempFolder(), { command: ['/bin/true'], idle_exit: false });
  const server = await listening(place.socket);
  await place.startHelper(activated, { inherit: descriptorOf(server) });
  // Who made the socket removes its name when it closes it.
  renameSync(place.socket, `${place.socket}.kept`);
  await new Promise((resolve) => server.close(resolve));
  renameSync(`${place.socket}.kept`, place.socket);
  await place.startListener();
  expect(await place.sender.status(place.target(), { signal: anySignal() })).toMatchObject({
    certname: NAME,
  });

  const words = [...agentSite(tempFolder(), { command: ['/bin/true'] }).command(), '--take-from', '/tmp/x'];
  const [program = '', ...args] = activated(words);
  const port = descriptorOf(await listening(0));
  const { code, err } = await ended(spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe', port] }));
  expect([code, err]).toEqual([2, expect.stringContaining('take requests from descriptor 3: a port')]);
});
