/** DESIGN 4 and 8: where the agent keeps what. The folders are the truth; memory only follows. */
import { constants } from 'node:fs';
import { access, chmod, lstat, mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { KickError, systemCode } from '../errors.ts';
import { exists } from '../util/files.ts';

export interface Layout {
  /** One folder a request that was accepted. */
  requests: string;
  /** One folder a run that is over. */
  runs: string;
  /** One folder a run in progress, on tmpfs: gone after a reboot, as the run is. */
  liveRuns: string;
  /** What the kernel's lock is held on while a run lasts. */
  runLock: string;
  /** One agent a state directory. */
  agentLock: string;
  /** Says that this state directory has been ours before. */
  storeMarker: string;
  /** Counters for monitoring; a controller may use the same folder. */
  metrics: string;
}

export function layoutOf(stateDir: string, runDir: string): Layout {
  return {
    requests: join(stateDir, 'requests'),
    runs: join(stateDir, 'runs'),
    liveRuns: join(runDir, 'runs'),
    runLock: join(runDir, 'run.lock'),
    agentLock: join(stateDir, 'agent'),
    storeMarker: join(stateDir, 'store.json'),
    metrics: join(stateDir, 'agent-metrics.json'),
  };
}

/**
 * Makes the folders, 0700. Throws `KickError` `state` for one that is a link, a file, another
 * user's, or open to others (docs/security.md, "Hostile cases").
 */
export async function prepareFolders(stateDir: string, runDir: string): Promise<Layout> {
  const layout = layoutOf(stateDir, runDir);
  for (const path of [stateDir, runDir, layout.requests, layout.runs, layout.liveRuns]) {
    await prepareFolder(path);
  }
  await refuseStrangeFile(layout.runLock);
  return layout;
}

async function prepareFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw cannotMake(path, systemCode(error) ?? String(error), error);
  }
  await refuseStrangeFolder(path);
  await chmod(path, 0o700);
}

async function refuseStrangeFolder(path: string): Promise<void> {
  const found = await lstat(path);
  if (!found.isDirectory()) throw strange(path, found.isSymbolicLink() ? 'a symbolic link' : 'not a folder');
  if (found.uid !== process.getuid?.()) throw strange(path, `the property of uid ${found.uid}`);
  if ((found.mode & 0o022) !== 0) {
    throw strange(path, `open to others (mode ${(found.mode & 0o7777).toString(8)})`);
  }
}

/** What `prepareFolders` would throw for a folder, without making or changing anything. */
export async function checkFolder(path: string): Promise<void> {
  try {
    return await refuseStrangeFolder(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  let parent = dirname(path);
  while (parent !== dirname(parent) && !(await exists(parent))) parent = dirname(parent);
  try {
    if (!(await stat(parent)).isDirectory()) throw cannotMake(path, `"${parent}" is not a folder`);
    await access(parent, constants.W_OK);
  } catch (error) {
    throw error instanceof KickError ? error : cannotMake(path, systemCode(error) ?? String(error), error);
  }
}

function cannotMake(path: string, why: string, cause?: unknown): KickError {
  return new KickError('state', `make the folder "${path}": ${why}`, {
    hint: 'run as root, or choose other folders with --state-dir and --run-dir',
    ...(cause !== undefined && { cause }),
  });
}

async function refuseStrangeFile(path: string): Promise<void> {
  try {
    const found = await lstat(path);
    if (!found.isFile()) throw strange(path, found.isSymbolicLink() ? 'a symbolic link' : 'not a file');
    if (found.uid !== process.getuid?.()) throw strange(path, `the property of uid ${found.uid}`);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

function strange(path: string, what: string): KickError {
  return new KickError('state', `use "${path}": it is ${what}`, {
    hint: 'find out who made it, then remove it; kick makes its own',
  });
}
