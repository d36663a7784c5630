/** A clean Debian with systemd that a test boots, in which it is root, and which is gone afterwards (test/lab/machine). */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect } from 'vitest';
import { KICK, ROOT } from '../../tools/program.ts';
import { afterwards } from '../support/afterwards.ts';
import type { Ended } from '../support/kick.ts';

export type RootName = 'debian12' | 'debian13';

export interface Machine {
  /** Runs a command as root there. */
  run(...argv: string[]): Ended;
  /** Runs a program of ours there, on its files. */
  ours(program: string, words: (root: string) => readonly string[]): Ended;
  /** The same as `run`; throws unless it succeeds. Returns what it printed, both streams. */
  must(...argv: string[]): string;
  /** Runs our `kick` as a controller beside it: on its network, with our files. */
  kick(words: readonly string[], env: NodeJS.ProcessEnv): ChildProcess;
  /** The path by which we see one of its files. */
  path(inside: string): string;
  write(inside: string, text: string, mode?: number): void;
  /** Copies a file of ours into its /root and returns its path there. */
  bring(file: string): string;
}

/** Boots one and waits until systemd has started everything. */
export async function bootMachine(root: RootName): Promise<Machine> {
  const script = spawn(join(ROOT, 'test/lab/machine'), [root], { stdio: ['ignore', 'inherit', 'inherit'] });
  const gone = new Promise((resolve) => script.once('exit', resolve));
  afterwards(async () => {
    script.kill();
    await gone;
  });
  const pid = await systemdOf(script.pid ?? 0);
  const machine = machineOf(pid);
  await expect.poll(() => machine.run('systemctl', 'is-system-running').out.trim()).toBe('running');
  return machine;
}

/** The script starts unshare, which starts systemd. */
async function systemdOf(script: number): Promise<number> {
  const childrenOf = (pid: number): number[] => {
    const list = spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' }).stdout;
    return list.split('\n').filter(Boolean).map(Number);
  };
  const find = () =>
    childrenOf(script)
      .flatMap(childrenOf)
      .find((pid) => /systemd$/m.test(commandOf(pid)));
  await expect.poll(find).toBeDefined();
  return find() ?? 0;
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0] ?? '';
  } catch {
    return '';
  }
}

function machineOf(pid: number): Machine {
  const root = `/proc/${pid}/root`;
  const enter = ['--target', String(pid), '--all'];
  const inside = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
    LC_ALL: 'C.UTF-8',
  };
  const nsenter = (words: readonly string[]): Ended => {
    const { stdout, stderr, status } = spawnSync('nsenter', words, {
      encoding: 'utf8',
      env: { ...inside, DEBIAN_FRONTEND: 'noninteractive' },
      maxBuffer: 2 ** 26,
    });
    return { out: stdout, err: stderr, code: status };
  };
  const run: Machine['run'] = (...argv) => nsenter([...enter, `--root=${root}`, `--wd=${root}`, ...argv]);
  const path = (name: string) => join(root, name);
  return {
    run,
    must(...argv) {
      const { out, err, code } = run(...argv);
      if (code !== 0) throw new Error(`${argv.join(' ')}: exit code ${code}\n${out}${err}`);
      return out + err;
    },
    ours: (program, words) =>
      nsenter([
        ...enter.slice(0, 2),
        '--net',
        '--pid',
        '--ipc',
        '--uts',
        '--cgroup',
        program,
        ...words(root),
      ]),
    kick: (words, env) =>
      spawn('nsenter', ['--target', String(pid), '--net', ...KICK, ...words], {
        env: { ...process.env, NO_COLOR: '1', ...env },
      }),
    path,
    write(name, text, mode = 0o644) {
      mkdirSync(dirname(path(name)), { recursive: true });
      writeFileSync(path(name), text, { mode });
    },
    bring(file) {
      const name = `/root/${basename(file)}`;
      copyFileSync(file, path(name));
      return name;
    },
  };
}
