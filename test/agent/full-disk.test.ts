/** A disk that is really full for a while under a run, or read-only: no record is lost, and the agent starts again. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { httpsSender } from '../../src/transport/https/client/client.ts';
import { SendError } from '../../src/transport/transport.ts';
import { PROGRAM } from '../../tools/program.ts';
import { canMount, disksOn, fill } from '../support/disks.ts';
import {
  agentSite,
  anySignal,
  NAME,
  outcomeIn,
  readUntil,
  requestFor,
  startRealAgent,
} from '../support/real-agent.ts';
import { tempFolder } from '../support/temp.ts';

test.skipIf(!canMount)(
  'both folders are full for a while under a run: its end is told, and the next agent starts',
  async () => {
    const folder = tempFolder();
    const gate = join(folder, 'gate');
    const prints = 'while [ ! -e "$0" ]; do i=$((i+1)); echo "line $i"; sleep 0.01; done; exit 2';
    const site = agentSite(folder, { command: ['/bin/sh', '-c', prints, gate] });
    const { stateDir, runDir } = site;
    const holder = await disksOn([stateDir, runDir]);
    const inside = (...path: string[]) => join('/proc', String(holder), 'root', ...path);
    const kick = ['nsenter', '--mount', '--target', String(holder), process.execPath, PROGRAM];
    const said: string[] = [];
    const start = async () => {
      const agent = await startRealAgent(site.command({ kick }), { onLine: (line) => said.push(line) });
      return { ...agent, target: { certname: NAME, host: '127.0.0.1', port: agent.port } };
    };
    const controller = await site.ca.identity('puppet.example.com');
    const sender = httpsSender({ identity: controller });
    const first = await start();
    const { job, body } = await requestFor(controller);
    await readUntil(await sender.submit(first.target, body, { signal: anySignal() }), 'log');

    const fills = [inside(stateDir, 'fill'), inside(runDir, 'fill')];
    fills.forEach(fill);
    await expect.poll(() => said.join('\n')).toContain('no space left for the output of a run');
    const { body: another } = await requestFor(controller);
    const refused = await sender
      .submit(first.target, another, { signal: anySignal() })
      .catch((error: unknown) => error);
    expect(refused instanceof SendError && refused.refusal?.code).toBe('no-space');
    writeFileSync(gate, '');
    await expect.poll(() => said.join('\n')).toContain('cannot store the end of a run, trying again');
    await first.kill('SIGKILL');

    const second = await start();
    for (const path of fills) rmSync(path);
    expect(await outcomeIn(sender, second.target, job)).toMatchObject({ outcome: 'changed', exit: 2 });
    await second.kill('SIGTERM');
    const third = await start();
    expect(await outcomeIn(sender, third.target, job)).toMatchObject({ outcome: 'changed', exit: 2 });
    const later = await requestFor(controller);
    expect(
      await readUntil(await sender.submit(third.target, later.body, { signal: anySignal() }), 'finished'),
    ).toMatchObject({ outcome: 'changed' });
    const [run = ''] = readdirSync(inside(stateDir, 'runs')).sort();
    const lines = readFileSync(inside(stateDir, 'runs', run, 'events.ndjson'), 'utf8')
      .trimEnd()
      .split('\n');
    const types = lines.map((line) => JSON.parse(line).type);
    expect(types.slice(0, 2)).toEqual(['started', 'log']);
    expect(types).toContain('dropped');
    expect(types.at(-1)).toBe('finished');
    await third.kill('SIGTERM');
  },
);

test.skipIf(!canMount)(
  'both folders have become read-only: an agent starts, tells what is known, and runs nothing',
  async () => {
    const folder = tempFolder();
    const site = agentSite(folder, { command: ['/bin/sh', '-c', 'exit 2'] });
    const folders = [site.stateDir, site.runDir];
    const holder = await disksOn(folders);
    const enter = ['--mount', '--target', String(holder)];
    const remount = (how: string) => {
      for (const path of folders)
        expect(spawnSync('nsenter', [...enter, 'mount', '-o', `remount,${how}`, path]).status).toBe(0);
    };
    const kick = ['nsenter', ...enter, process.execPath, PROGRAM];
    const start = async () => {
      const agent = await startRealAgent(site.command({ kick }));
      return { ...agent, target: { certname: NAME, host: '127.0.0.1', port: agent.port } };
    };
    const controller = await site.ca.identity('puppet.example.com');
    const sender = httpsSender({ identity: controller });
    const submit = async ({ port }: { port: number }) =>
      sender.submit({ certname: NAME, host: '127.0.0.1', port }, (await requestFor(controller)).body, {
        signal: anySignal(),
      });
    const first = await start();
    const over = await requestFor(controller);
    await readUntil(await sender.submit(first.target, over.body, { signal: anySignal() }), 'finished');
    await first.kill('SIGKILL');

    remount('ro');
    const second = await start();
    expect(await outcomeIn(sender, second.target, over.job)).toMatchObject({ outcome: 'changed' });
    const refused = await submit(second).catch((error: unknown) => error);
    expect(refused instanceof SendError && refused.refusal?.code).toBe('no-space');
    await second.kill('SIGTERM');
    remount('rw');
    const third = await start();
    expect(await outcomeIn(sender, third.target, over.job)).toMatchObject({ outcome: 'changed' });
    expect(await readUntil(await submit(third), 'finished')).toMatchObject({ outcome: 'changed' });
    await third.kill('SIGTERM');
  },
);
