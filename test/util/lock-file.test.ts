/** A lock that dies with its holder. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/util/clock.ts';
import { parseDuration } from '../../src/util/duration.ts';
import { holdLock } from '../../src/util/lock-file.ts';
import { safeText } from '../../src/util/text.ts';
import { tempFolder } from '../support/temp.ts';

const options = { label: 'lock "x"', clock: systemClock };

test('holdLock lets one in, names the holder to the second, and waits when told to', async () => {
  const path = join(tempFolder(), 'x');
  const first = await holdLock(path, options);
  await expect(holdLock(path, options)).rejects.toMatchObject({
    code: 'locked',
    message: expect.stringContaining(`pid ${process.pid}`),
  });
  const told: string[] = [];
  const waiting = holdLock(path, {
    ...options,
    waitMs: 600_000,
    onWaiting: (holder) => void told.push(holder),
  });
  await expect.poll(() => told.length).toBe(1);
  await first.release();
  await (await waiting).release();
});

test('a full disk costs the record of the holder, not the lock: nothing ran under --lock', async ({
  skip,
}) => {
  const disk = tempFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk], { stdio: 'ignore' });
  } catch {
    skip('needs to mount a tmpfs');
  }
  onTestFinished(() => void execFileSync('umount', ['-l', disk]));
  expect(() => writeFileSync(join(disk, 'full'), Buffer.alloc(1 << 20))).toThrow(/ENOSPC/);
  const path = join(disk, 'x');
  const held = await holdLock(path, options);
  expect(existsSync(`${path}.holder`)).toBe(false);
  await expect(holdLock(path, options)).rejects.toMatchObject({ code: 'locked' });
  await held.release();
});

test('a lock whose holder was killed is taken over at once', async () => {
  const path = join(tempFolder(), 'x');
  const module = new URL('../../src/util/lock-file.ts', import.meta.url).href;
  const clock = '{ now: () => Date.now(), monotonic: () => performance.now() }';
  const script = `const { holdLock } = await import(${JSON.stringify(module)});
    await holdLock(${JSON.stringify(path)}, { label: 'x', clock: ${clock} });
    console.log('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  await expect(holdLock(path, options)).rejects.toMatchObject({ code: 'locked' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  await (await holdLock(path, options)).release();
});

test.each(['link', 'file'])('a %s in the place of a lock is refused, not waited for', async (what) => {
  const folder = tempFolder();
  const path = join(folder, 'x');
  mkdirSync(join(folder, 'elsewhere'));
  if (what === 'link') symlinkSync(join(folder, 'elsewhere'), `${path}.lock`);
  else writeFileSync(`${path}.lock`, '');
  await expect(holdLock(path, { ...options, waitMs: 600_000 })).rejects.toMatchObject({ code: 'state' });
});

test('parseDuration adds its parts up, and refuses anything else', () => {
  expect(parseDuration('1h30m')).toBe(5_400_000);
  expect(parseDuration('90')).toBe(90_000);
  for (const bad of ['', 'soon', '5x', '-1s', '1h '])
    expect(() => parseDuration(bad), bad).toThrow(/not a duration/);
});

test('safeText leaves nothing that a terminal obeys', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(safeText(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
    }),
  );
});
