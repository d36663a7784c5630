/** Signals that are sent too early. SIGUSR1, as operators know it from Puppet's daemon, means "start the debugger" to Node. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { freePort } from '../../tools/loopback.ts';
import { PROGRAM } from '../../tools/program.ts';
import { afterwards } from '../support/afterwards.ts';
import { agentSite, startRealAgent } from '../support/real-agent.ts';
import { tempFolder } from '../support/temp.ts';

/**
 * The first comes before anything of kick is loaded, and does what it does to Node; the others all the time. On a port of its
 * own: where another process has the usual one, no debugger is opened, and there is nothing to wait for.
 */
const signalling = (port: number) => `
import { url } from 'node:inspector';
import { setTimeout as sleep } from 'node:timers/promises';
process.debugPort = ${port};
process.kill(process.pid, 'SIGUSR1');
while (url() === undefined) await sleep(1);
setInterval(() => process.kill(process.pid, 'SIGUSR1'), 2).unref();
`;

const DEBUGGER = /Debugger listening on ws:\/\/127\.0\.0\.1:(\d+)\//;

test('SIGUSR1 from the first moment on leaves no debugger open, and the agent runs', async () => {
  const folder = tempFolder();
  const { command } = agentSite(folder, { command: ['/bin/true'] });
  const hook = join(folder, 'hook.mjs');
  writeFileSync(hook, signalling(await freePort()));
  const agent = await startRealAgent(command({ kick: [process.execPath, '--import', hook, PROGRAM] }), {
    stderr: 'collect',
  });
  await expect.poll(agent.said).toMatch(DEBUGGER);
  const [, debuggerPort] = DEBUGGER.exec(agent.said()) ?? [];
  const socket = connect(Number(debuggerPort), '127.0.0.1');
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNREFUSED');
  expect(agent.process.exitCode).toBeNull();
});

test('SIGHUP before the agent has a certificate does not end it', async () => {
  const folder = tempFolder();
  const { command } = agentSite(folder, { command: ['/bin/true'] });
  rmSync(join(folder, 'pki', 'private_keys'), { recursive: true });
  const [program = '', ...args] = command();
  const agent = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  afterwards(() => agent.kill('SIGKILL'));
  const ending = once(agent, 'exit');
  for await (const line of createInterface({ input: agent.stdout })) {
    if (!line.includes('waiting for a usable certificate')) continue;
    agent.kill('SIGHUP');
    agent.kill('SIGTERM');
    break;
  }
  expect(await ending).toEqual([0, null]);
});
