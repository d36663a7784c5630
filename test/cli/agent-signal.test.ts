/** SIGUSR1 as operators know it from Puppet's daemon, sent too early: to Node it means "start the debugger". */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { constants } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { PROGRAM } from '../support/build.ts';
import { mintCa } from '../support/minted-ca.ts';
import { portOf } from '../support/real-agent.ts';
import { tempFolder } from '../support/temp.ts';

const NAME = 'agent1.example.com';

/** Before Node has its own handler the signal would end it (proc(5): SigCgt is a mask). */
function isCaught(pid: number): boolean {
  try {
    const [, mask = '0'] =
      /^SigCgt:\t([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
    return ((BigInt(`0x${mask}`) >> BigInt(constants.signals.SIGUSR1 - 1)) & 1n) === 1n;
  } catch {
    return false;
  }
}

test('SIGUSR1 from the first moment on leaves no debugger open, and the agent runs', async () => {
  const folder = tempFolder();
  const ca = mintCa();
  const pki = join(folder, 'pki');
  await ca.write(pki, NAME, ca.issue(NAME, { role: 'agent', ppCliAuth: false }));
  mkdirSync(join(folder, 'etc'));
  writeFileSync(
    join(folder, 'etc', 'agent.yaml'),
    JSON.stringify({ runner: 'command', command: ['/bin/true'] }),
  );
  const child = spawn(
    process.execPath,
    [
      ...[PROGRAM, 'agent', '--port', '0', '--bind', '127.0.0.1'],
      ...['--config-dir', join(folder, 'etc'), '--pki-dir', pki, '--certname', NAME],
      ...['--state-dir', join(folder, 'state'), '--run-dir', join(folder, 'run')],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const port = portOf(child);
  const timer = setInterval(() => {
    if (isCaught(child.pid ?? 0)) child.kill('SIGUSR1');
  }, 2);
  onTestFinished(() => clearInterval(timer));
  expect(await port).toBeGreaterThan(0);
  clearInterval(timer);

  const [, debuggerPort] = /Debugger listening on ws:\/\/127\.0\.0\.1:(\d+)/.exec(said) ?? [];
  if (debuggerPort !== undefined) {
    const socket = connect(Number(debuggerPort), '127.0.0.1');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
  }
  expect(child.exitCode).toBeNull();
}, 60_000);
