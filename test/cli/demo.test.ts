/** `kick demo` leaves nothing behind. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { KICK } from '../../tools/program.ts';
import { tempFolder } from '../support/temp.ts';

test.skipIf(!existsSync('/usr/bin/script'))(
  'whose terminal is closed ends its agents and removes its folder',
  async () => {
    const folder = tempFolder();
    const line = [...KICK, 'demo', '--sample'].map((word) => `'${word}'`).join(' ');
    const child = spawn('/usr/bin/script', ['--quiet', '--command', `exec ${line}`, '/dev/null'], {
      env: { ...process.env, TMPDIR: folder },
    });
    let text = '';
    for await (const chunk of child.stdout) {
      text += String(chunk);
      if (/listen: .*agent3\.demo/s.test(text)) break;
    }
    expect(readdirSync(folder)).toHaveLength(1);
    child.kill('SIGKILL');
    await expect.poll(() => readdirSync(folder)).toEqual([]);
  },
);

test.each(['agents are starting', 'a kick runs'])(
  'that is told to end when %s leaves no process behind',
  async (when) => {
    const folder = tempFolder();
    const [node = '', ...words] = KICK;
    const child = spawn(node, [...words, 'demo', '--sample'], { env: { ...process.env, TMPDIR: folder } });
    const mark = when === 'a kick runs' ? /\$ kick agent1/ : /certificates, in/;
    let text = '';
    for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
      text += String(chunk);
      if (mark.test(text)) break;
    }
    child.kill('SIGTERM');
    child.stdout.resume();
    child.stderr.resume();
    // Not before all that were started have closed them.
    const [code]: unknown[] = await once(child, 'close');
    expect(code).toBe(130);
    expect(readdirSync(folder)).toEqual([]);
  },
);
