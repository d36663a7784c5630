/** The real `kick` against a real `kick agent`. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../tools/program.ts';
import { ended, startKick } from '../support/kick.ts';
import { kickHere } from '../support/kick-here.ts';
import { agentPlace } from '../support/real-agent.ts';
import { tempFolder } from '../support/temp.ts';

const fixture = (name: string) => join(ROOT, 'test', 'fixtures', 'bin', name);
const CONTROLLER = 'puppet.example.com';
const AGENT = 'agent1.example.com';

/** An agent that runs a fixture, and a controller that knows its address. */
async function site(command: (folder: string) => string[]) {
  const folder = tempFolder();
  const place = await agentPlace(folder, command(folder));
  place.ca.write(join(folder, 'pki'), place.ca.issue(CONTROLLER));
  const agent = await place.start();
  const know = (name: string) =>
    writeFileSync(
      join(folder, 'etc', 'inventory.yaml'),
      JSON.stringify({ targets: [{ name, uri: `127.0.0.1:${agent.target.port}` }] }),
    );
  know(AGENT);
  const folders = [
    ...['--config-dir', join(folder, 'etc'), '--certname', CONTROLLER],
    ...['--state-dir', join(folder, 'controller'), '--pki-dir', join(folder, 'pki')],
  ];
  const start = (words: string[]): ChildProcess => startKick([...words, ...folders]);
  const kick = (words: string[]) => kickHere([...words, ...folders]);
  return { folder, agent, place, know, start, kick };
}

test('kick waits for the run and says how it ended', async () => {
  const { kick, start } = await site(() => [fixture('changes')]);
  for (const words of [
    ['--host', 'agent1'],
    ['run', 'agent1'],
    ['agent1', 'agent1.example.com'],
  ]) {
    const { out, code } = await ended(start(words));
    expect(out).toMatch(/^ {2}agent1.example.com {2}changed /m);
    expect(out).toMatch(/Nodes: 1 \/ 1 {6}1 changed/);
    expect(code).toBe(0);
  }
  const quiet = await kick(['agent1', '--quiet']);
  expect(quiet).toEqual({ out: '', err: '', code: 0 });
  const verbose = await kick(['agent1', '--verbose']);
  expect(verbose.out).toContain('agent1.example.com: output: changed one thing\n');
});

test('a failed run is exit 1 and shows its error; a refusal is exit 3 and shows its code', async () => {
  const { kick } = await site(() => [fixture('fails')]);
  const failed = await kick(['agent1']);
  expect(failed.out).toMatch(/failed .*Error: it does not work/);
  expect(failed.code).toBe(1);
  const refused = await kick(['agent1', '--noop']);
  expect(refused.out).toMatch(/refused .*unsupported: /);
  expect(refused.code).toBe(3);
});

test('an agent with another certificate of our CA is unreachable, and its name is told', async () => {
  const { kick, know } = await site(() => [fixture('ok')]);
  know('agent9.example.com');
  const { out, code } = await kick(['agent9']);
  expect(out).toMatch(/agent9.example.com {2}unreachable .*agent1.example.com/);
  expect(code).toBe(3);
});

test('ping tells latency and versions, and who does not answer', async () => {
  const { kick, agent } = await site(() => [fixture('ok')]);
  const { out, code } = await kick(['ping', 'agent1']);
  expect(out).toMatch(/^agent1.example.com +\d+ms {2}kick \d+\.\d+\.\d+ {2}command\n$/);
  expect(code).toBe(0);
  await agent.kill('SIGKILL');
  const gone = await kick(['ping', 'agent1', '--format', 'json']);
  expect(JSON.parse(gone.out)).toEqual([
    { certname: AGENT, error: expect.stringContaining('refused'), failure: 'connection-refused' },
  ]);
  expect(gone.code).toBe(3);
});

test('--detach leaves the host to itself, and Ctrl-C does too', async () => {
  const { kick, start, folder, agent, place } = await site((at) => [
    fixture('until-taken'),
    join(at, 'journal'),
    join(at, 'release'),
  ]);
  const detached = await kick(['agent1', '--detach', '--format', 'json']);
  expect(JSON.parse(detached.out)).toMatchObject({ hosts: [{ outcome: 'unfinished' }] });
  expect(detached.code).toBe(0);
  await expect.poll(() => existsSync(join(folder, 'journal'))).toBe(true);
  const child = start(['agent1', '--format', 'jsonl']);
  const done = ended(child);
  let seen = '';
  await new Promise<void>((resolve) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      if (seen.includes('"waiting"')) resolve();
    });
  });
  child.kill('SIGINT');
  const { out, err, code } = await done;
  expect(code).toBe(130);
  expect(err).toContain('runs in progress go on');
  expect(out).toContain('"outcome":"unfinished"');
  // Both runs take place, though nobody looks any more.
  for (const count of [2, 4]) {
    writeFileSync(join(folder, 'release'), '');
    await expect
      .poll(() => readFileSync(join(folder, 'journal'), 'utf8').trim().split('\n').length)
      .toBeGreaterThanOrEqual(count);
  }
  place.sender.close();
  expect(agent.process.exitCode).toBeNull();
});

test('a reader that goes away does not end the wait, nor the truth of the exit code', async () => {
  const { start } = await site(() => [fixture('fails')]);
  const child = start(['agent1', '--verbose']);
  child.stdout?.destroy();
  const code = await new Promise((resolve) => child.once('exit', resolve));
  expect(code).toBe(1);
});
