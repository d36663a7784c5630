/** Whether a program can be started here. */
import { execFileSync } from 'node:child_process';

/** Looks for it as a shell does. */
export function isInstalled(command: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
