/** DESIGN 5: the checks of admit.ts that only apply to runs: operation, known key, options, room. */
import { statfs } from 'node:fs/promises';
import { Refusal } from '../../protocol/refusal.ts';
import { canonicalAction, type Request, type RunAction, type RunRequest } from '../../protocol/request.ts';
import { exists } from '../../util/files.ts';
import { type Layout, prepareFolders } from '../layout.ts';
import type { Queue } from '../queue/queue.ts';
import { requestName } from '../requests/request-record.ts';
import type { RequestStore } from '../requests/request-store.ts';
import type { Runner } from '../runners/runner.ts';
import type { AdmitFor } from './admit.ts';

/** Bytes that must be free where runs and requests are stored; with less Puppet itself would fail. */
const MIN_FREE_BYTES = 16 << 20;

export interface RunCheckDeps {
  requests: Pick<RequestStore, 'read'>;
  queue: Pick<Queue, 'waiting'>;
  runner: Pick<Runner, 'name' | 'unsupported'>;
  folders: { stateDir: string; runDir: string; layout: Layout };
  /** How many requests may wait. */
  queueSize: number;
  /** Our version. */
  version: string;
}

export interface RunChecks extends AdmitFor<RunAction> {
  /** The agent's own runs check only this, and without a request. */
  checkRoom(request?: RunRequest): Promise<void>;
}

export function createRunChecks(deps: RunCheckDeps): RunChecks {
  const { requests, queue, runner, folders, queueSize, version } = deps;
  const { stateDir, runDir, layout } = folders;

  function checkOptions({ action }: RunRequest): void {
    const unsupported = runner.unsupported(action);
    if (unsupported.length > 0) {
      const detail = `${runner.name} cannot honour ${unsupported.join(', ')}`;
      throw new Refusal('unsupported', detail, { version, runner: runner.name });
    }
  }

  async function checkRoom(): Promise<void> {
    if (queue.waiting() >= queueSize) throw new Refusal('queue-full', `${queue.waiting()} wait`);
    if (!(await exists(layout.liveRuns))) await prepareFolders(stateDir, runDir);
    for (const folder of [runDir, stateDir]) {
      const { bavail, bsize } = await statfs(folder);
      const free = bavail * bsize;
      if (free < MIN_FREE_BYTES) throw new Refusal('no-space', `${free} bytes in "${folder}"`);
    }
  }

  async function isKnown(request: RunRequest): Promise<boolean> {
    const known = await requests.read(requestName(request));
    if (known === undefined) return false;
    // Answered with its end, whatever it asked.
    if (known === 'damaged') return true;
    if (known === 'gone') throw new Refusal('gone', 'its folder is no longer kept');
    if (canonicalAction(known.request.action) !== canonicalAction(request.action)) {
      throw new Refusal('job-conflict', 'the same key with another action');
    }
    return true;
  }

  return {
    checkOperation: asRun,
    isKnown,
    checkOptions,
    async checkRoom(request) {
      try {
        await checkRoom();
      } catch (error) {
        // The same request may have been accepted meanwhile, over a connection that its controller has given up.
        if (request === undefined || !(await isKnown(request))) throw error;
      }
    },
  };
}

function asRun(request: Request): RunRequest {
  const { action } = request;
  if (action.op !== 'run') throw new Refusal('malformed', `op "${action.op}" here`);
  return { ...request, action };
}
