/** DESIGN 4: the folder of a run vanishes under it, within one boot; its readers are told an end all the same. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { removeFolder } from '../../tools/throwaway-folder.ts';
import { tempFolder } from '../support/temp.ts';
import { command, kick, peerOf, refusalOf, requestOf, resume, sealed } from './harness.ts';
import { end, inARun, lastOf, waitingPuppet } from './rebooted.ts';

test('the volatile directory is emptied under a run: its reader is told the end, and the next kick runs', async () => {
  const gate = join(tempFolder(), 'gate');
  const { folders, agent, run, pid } = await inARun(command('until-file', join(tempFolder(), 'j'), gate));
  removeFolder(folders.runDir);
  process.kill(pid, 'SIGKILL');
  expect(await run.finished).toMatchObject({
    outcome: 'interrupted',
    message: expect.stringContaining('has vanished'),
  });
  writeFileSync(gate, '');
  expect(await (await kick(agent)).finished).toMatchObject({ outcome: 'changed' });
});

test('the volatile directory is emptied under a run of Puppet: its report tells', async () => {
  const folder = tempFolder();
  const { runner, go } = waitingPuppet(folder, '2 changed true');
  const { folders, run, agent } = await inARun(runner);
  const late = await resume(agent, run.job, 1_000);
  removeFolder(folders.runDir);
  go();
  for (const reader of [run, late]) expect(await reader.finished).toMatchObject({ outcome: 'changed' });
});

test('a run whose folder has vanished can still be cancelled', async () => {
  const { folders, agent, run } = await inARun(command('hangs', ''));
  removeFolder(folders.runDir);
  await agent.command(await sealed(requestOf({ action: { op: 'cancel', job: run.job } })), peerOf());
  expect(await run.finished).toMatchObject({ outcome: 'cancelled' });
});

test('a run folder that vanishes while no agent is there: the end is told to a reader that knows more', async () => {
  const { folders, start, agent, run, pid } = await inARun();
  await agent.stop();
  end(pid);
  removeFolder(folders.runDir);
  const finished = await (await resume(await start(), run.job, lastOf(run))).finished;
  expect(finished).toMatchObject({
    outcome: 'interrupted',
    message: expect.stringContaining('has vanished'),
  });
});

test('a run whose folder has vanished while no agent was there is followed: no other begins beside it', async () => {
  const folder = tempFolder();
  const { runner, go } = waitingPuppet(folder, '2 changed true\n0 unchanged true');
  const { folders, start, agent, run } = await inARun(runner);
  await agent.stop();
  removeFolder(folders.runDir);
  const next = await start();
  const late = await kick(next);
  expect((await late.until('waiting')).holder).toMatchObject({ job: run.job });
  go();
  expect(await (await resume(next, run.job, lastOf(run))).finished).toMatchObject({ outcome: 'changed' });
  expect(await late.finished).toMatchObject({ outcome: 'unchanged' });
});

test('a request whose folder vanishes under its run: the stream ends, and then the agent knows nothing of it', async () => {
  const gate = join(tempFolder(), 'gate');
  const { folders, agent, run } = await inARun(command('until-file', join(tempFolder(), 'j'), gate));
  removeFolder(join(folders.stateDir, 'requests'));
  mkdirSync(join(folders.stateDir, 'requests'), { mode: 0o700 });
  writeFileSync(gate, '');
  await expect(run.finished).rejects.toThrow('the stream ended after');
  expect(await refusalOf(resume(agent, run.job, lastOf(run)))).toBe('unknown-job');
});
