/** Processes with names of our choice, for Puppet's rule of whose pid it is. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { tempFolder } from './temp.ts';

/** One that sleeps; ended when the test has finished. */
export async function namedProcess(
  name: string,
  { argv0 }: { argv0?: string } = {},
): Promise<ChildProcess & { pid: number }> {
  const program = join(tempFolder(), name);
  copyFileSync('/bin/sleep', program);
  const child = spawn(program, ['3600'], { stdio: 'ignore', ...(argv0 !== undefined && { argv0 }) });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} did not start`);
  return Object.assign(child, { pid });
}

/** prctl(2), PR_SET_NAME is 15. */
const SCRIPT = `
import ctypes, os, sys, threading, time
name = sys.argv[1].encode()
prctl = ctypes.CDLL(None).prctl
zombie = os.fork()
if zombie == 0:
    prctl(15, name, 0, 0, 0)
    os._exit(0)
os.waitid(os.P_PID, zombie, os.WEXITED | os.WNOWAIT)
def work():
    prctl(15, name, 0, 0, 0)
    sys.stdout.write(f"{zombie} {threading.get_native_id()}\\n")
    sys.stdout.flush()
    sys.stdin.read()
threading.Thread(target=work).start()
`;

/** A zombie of this name, and a thread of this name in another process. Undefined where there is no Python to make them. */
export async function threadAndZombie(name: string): Promise<{ zombie: number; thread: number } | undefined> {
  if (spawnSync('python3', ['--version']).status !== 0) return undefined;
  const child = spawn('python3', ['-c', SCRIPT, name], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const [zombie, thread] = line.toString().split(' ').map(Number);
  if (zombie === undefined || thread === undefined) throw new Error(`python3 said ${line}`);
  return { zombie, thread };
}
