/** DESIGN 4 and 8: where the agent keeps its files. The folders are the truth; memory only mirrors them. */
import { constants } from 'node:fs';
import { access, chmod, lstat, mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { KickError, systemCode } from '../errors.ts';
import { exists } from '../util/files.ts';
import { trustedPath } from '../util/trusted-path.ts';

export interface Layout {
  /** One folder per accepted request. */
  requests: string;
  /** One folder per run that is over. */
  runs: string;
  /** One folder per run in progress, on a tmpfs: like the run, gone after a reboot. */
  liveRuns: string;
  /** The file that is locked while a run lasts. */
  runLock: string;
  /** Allows one agent per state directory: the record of who it is, and the file that the kernel locks. */
  agentLock: string;
  agentFlock: string;
  /** Marks the state directory as ours. */
  storeMarker: string;
  /** Marks of the commands that a helper has carried out. */
  commands: string;
  /** What Puppet knows of the host, for discovery. */
  facts: string;
  /** Counters for monitoring; a controller may use the same folder. */
  metrics: string;
}

/** Of every folder. */
const MODE = 0o700;

/** Of the state directory, if others may pass through it: to the folders of a controller that runs as another user. */
const PASSABLE = 0o711;

export function layoutOf(stateDir: string, runDir: string): Layout {
  return {
    requests: join(stateDir, 'requests'),
    runs: join(stateDir, 'runs'),
    liveRuns: join(runDir, 'runs'),
    runLock: join(runDir, 'run.lock'),
    agentLock: join(stateDir, 'agent'),
    agentFlock: join(stateDir, 'agent.flock'),
    storeMarker: join(stateDir, 'store.json'),
    commands: join(stateDir, 'commands'),
    facts: join(stateDir, 'facts.json'),
    metrics: join(stateDir, 'agent-metrics.json'),
  };
}

/**
 * Makes the folders, 0700, or 0711 a state directory through which others may pass. Throws `KickError` `state` if one is a
 * link or a file, and `untrusted` if one, or a folder above it, is another user's or open to others (docs/security.md, "U:
 * A local user").
 */
export async function prepareFolders(stateDir: string, runDir: string): Promise<Layout> {
  const layout = layoutOf(stateDir, runDir);
  for (const path of [stateDir, runDir, layout.requests, layout.runs, layout.liveRuns]) {
    await prepareFolder(path, path === stateDir);
  }
  // All that the wrapper of a run opens: a pipe would keep it waiting for ever.
  for (const end of ['', '.wrapper', '.new']) await refuseStrangeFile(`${layout.runLock}${end}`);
  return layout;
}

async function prepareFolder(path: string, isPassable: boolean): Promise<void> {
  if (!(await isOurs(path))) await makeFolder(path);
  const found = (await lstat(path)).mode & 0o7777;
  const mode = isPassable && (found & 0o001) !== 0 ? PASSABLE : MODE;
  // Only if necessary: on a file system that has become read-only the agent still answers.
  if (found === mode) return;
  await chmod(path, mode).catch((error: unknown) => {
    throw new KickError('state', `make the folder "${path}" private: ${systemCode(error) ?? String(error)}`, {
      hint: `chmod ${mode.toString(8).padStart(4, '0')} "${path}" must work`,
      cause: error,
    });
  });
}

async function makeFolder(path: string): Promise<void> {
  refuseOthers(path);
  try {
    await mkdir(path, { recursive: true, mode: MODE });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw cannotMake(path, systemCode(error) ?? String(error), error);
  }
  await isOurs(path); // somebody else may have made it meanwhile
}

/** Whether there is a folder of ours; false if there is nothing. Throws for anything else. */
async function isOurs(path: string): Promise<boolean> {
  const found = await lstat(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw cannotMake(path, systemCode(error) ?? String(error), error);
  });
  if (found === undefined) return false;
  if (!found.isDirectory()) throw strange(path, found.isSymbolicLink() ? 'a symbolic link' : 'not a folder');
  refuseOthers(path);
  if (found.uid !== process.getuid?.()) throw strange(path, `owned by uid ${found.uid}`);
  return true;
}

/** Throws for what others can change on the way to a folder. */
function refuseOthers(path: string): void {
  try {
    trustedPath(path, { doing: `use the folder "${path}"` });
  } catch (error) {
    throw error instanceof KickError ? error : cannotMake(path, systemCode(error) ?? String(error), error);
  }
}

/** Throws what `prepareFolders` would throw for a folder, without making or changing anything. */
export async function checkFolder(path: string): Promise<void> {
  if (await isOurs(path)) return;
  refuseOthers(path);
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
    if (found.uid !== process.getuid?.()) throw strange(path, `owned by uid ${found.uid}`);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

function strange(path: string, what: string): KickError {
  return new KickError('state', `use "${path}": it is ${what}`, {
    hint: 'find out who made it, then remove it; kick makes its own',
  });
}
