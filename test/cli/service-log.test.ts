/** The log of an agent: whatever a controller puts into a request, and whoever knocks, each line is JSON that acts on no terminal. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { seal } from '../../src/protocol/seal.ts';
import { httpsSender } from '../../src/transport/https/client/client.ts';
import { uuidv7 } from '../../src/util/uuid.ts';
import { freePort } from '../../tools/loopback.ts';
import { HOSTILE, hostileIn } from '../support/hostile-text.ts';
import { agentSite, anySignal, NAME, startRealAgent } from '../support/real-agent.ts';
import { tempFolder } from '../support/temp.ts';

const CONTROLLER = 'puppet.example.com';

test('what a controller says is in the log as JSON that acts on nothing', async () => {
  const site = agentSite(tempFolder(), { command: ['/bin/true'] });
  const controller = await site.ca.identity(CONTROLLER);
  const agent = await startRealAgent(site.command());
  let log = '';
  agent.process.stdout?.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const sender = httpsSender({ identity: controller });
  const target = { certname: NAME, host: '127.0.0.1', port: agent.port };
  const order = async (fields: object) => {
    const iat = Math.floor(Date.now() / 1000);
    const request = {
      ...{ v: 1 as const, jti: uuidv7(Date.now()), job: uuidv7(Date.now()), attempt: 1, iss: CONTROLLER },
      ...{ aud: NAME, iat, exp: iat + 300, action: { op: 'enable' as const } },
      ...{ by: { user: 'x', uid: 0, host: 'x' } },
      ...fields,
    };
    const body = await seal(request, { key: controller.key, chain: controller.chain });
    await sender.command(target, body, { signal: anySignal() }).catch(() => undefined);
  };
  for (const text of HOSTILE) {
    await order({ by: { user: text, uid: 0, host: text, reason: text } });
    await order({ action: { op: 'disable', reason: text } });
    await order({ [text]: text });
    await order({ aud: text });
    await order({ action: { op: text } });
  }
  sender.close();
  await agent.kill();
  expect(hostileIn(log)).toEqual([]);
  const lines = log.trimEnd().split('\n');
  const documents = lines.map((line) => JSON.parse(line) as { action?: { reason?: string } });
  // Nothing is lost: each reason is there as it was.
  const reasons = documents.map(({ action }) => action?.reason);
  for (const text of HOSTILE) expect(reasons).toContain(text);
});

test('a log that cannot be written costs its lines, and the agent goes on', async () => {
  const site = agentSite(tempFolder(), { command: ['/bin/true'] });
  const port = await freePort();
  const command = ['-c', 'exec "$@" >/dev/full', 'sh', ...site.command({ port })];
  const child = spawn('/bin/sh', command, { stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const sender = httpsSender({ identity: await site.ca.identity(CONTROLLER) });
  const target = { certname: NAME, host: '127.0.0.1', port };
  const ask = () => sender.status(target, { signal: anySignal() }).catch(({ message }: Error) => message);
  await expect.poll(ask).toMatchObject({ certname: NAME });
  sender.close();
  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number | null];
  expect(err).toBe('');
  expect(code).toBe(0);
});
