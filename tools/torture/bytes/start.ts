/** Starts what must start whatever has become of its files. */
import { type AgentProcess, startAgentProcess } from '../../agent-process.ts';
import { BrokenPromise } from '../check.ts';

/** One that hangs is ended; however slow the machine is, the others are ready before. */
const START_MS = 300_000;

/** Throws `BrokenPromise` if it is not ready in time. */
export async function startInTime(
  command: readonly string[],
  { what, ready = 'listening' }: { what: string; ready?: string },
): Promise<AgentProcess> {
  let end = () => {};
  const late = setTimeout(() => end(), START_MS);
  try {
    return await startAgentProcess(command, {
      ...{ env: { PATH: process.env['PATH'] }, stderr: 'collect', ready },
      onSpawn: (child) => (end = () => void child.kill('SIGKILL')),
    });
  } catch (error) {
    throw new BrokenPromise(`${what} does not start: ${(error as Error).message}`);
  } finally {
    clearTimeout(late);
  }
}
