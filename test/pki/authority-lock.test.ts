/** One at a time changes our own CA: whoever stands still inside for an hour overwrites nothing newer afterwards. */
import { readdirSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openAuthority } from '../../src/pki/authority.ts';
import { systemClock } from '../../src/util/clock.ts';
import { flockHolders } from '../../src/util/proc.ts';
import { ended, startKick } from '../support/kick.ts';
import { tempFolder } from '../support/temp.ts';

const clock = systemClock;

/** Stops a process at the moment in which it would replace the index. */
const STOPPED = `
  import fs from 'node:fs/promises';
  import { syncBuiltinESMExports } from 'node:module';
  const { rename } = fs;
  fs.rename = async (from, to) => {
    if (to.endsWith('/index.json')) process.kill(process.pid, 'SIGSTOP');
    await rename(from, to);
  };
  syncBuiltinESMExports();`;

const stateOf = (pid: number) => /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1];

test('a process that was stopped before it wrote the index, for longer than any lease, loses nobody’s certificate', async () => {
  const dir = join(tempFolder(), 'pki');
  await openAuthority(dir, { clock }).init('Our CA');
  const NODE_OPTIONS = `--import data:text/javascript,${encodeURIComponent(STOPPED)}`;
  const words = ['pki', 'issue', 'first.example.com', '--role', 'agent', '--pki-dir', dir];
  const first = startKick(words, { env: { NODE_OPTIONS } });
  onTestFinished(() => void first.kill('SIGKILL'));
  const end = ended(first);
  const pid = first.pid ?? expect.fail();
  await expect.poll(() => stateOf(pid)).toBe('T');
  for (const name of readdirSync(join(dir, 'ca'))) utimesSync(join(dir, 'ca', name), 0, 0);
  let isOver = false;
  const wish = { name: 'second.example.com', role: 'agent', keyType: 'p256', days: 1 } as const;
  const second = openAuthority(dir, { clock })
    .issue(wish)
    .finally(() => (isOver = true));
  const lock = join(dir, 'ca', 'index.flock');
  await expect.poll(() => isOver || flockHolders(lock).some((one) => one.pid === pid)).toBe(true);
  first.kill('SIGCONT');
  expect(await end).toMatchObject({ code: 0 });
  await second;
  const listed = (await openAuthority(dir, { clock }).list()).map(({ name }) => name);
  expect(listed).toEqual(['first.example.com', 'second.example.com']);
});
