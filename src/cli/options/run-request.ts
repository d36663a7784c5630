/** What the options of `kick run` become in a request, and in the rollout of its job. */
import * as v from 'valibot';
import type { Rollout } from '../../controller/jobs/job.ts';
import { KickError } from '../../errors.ts';
import { type RunAction, RunActionSchema, type RunRequest } from '../../protocol/request.ts';
import { formatProblems, problemsOf } from '../../util/schema.ts';
import type { RunOptions } from './run-options.ts';

/** Milliseconds for which an emergency tries to reach hosts (DESIGN 4). */
const EMERGENCY_DEADLINE_MS = 3_600_000;

/** The action of the requests. Throws `KickError` `usage` with all problems. */
export function actionOf(options: RunOptions): RunAction {
  const tags = [...(options.tags ?? []), ...(options.tag ?? [])];
  const { runTimeout } = options;
  const action = {
    op: 'run',
    ...(options.noop !== undefined && { noop: options.noop }),
    ...(tags.length > 0 && { tags }),
    ...(options.skipTags !== undefined && { skipTags: options.skipTags }),
    ...(options.environment !== undefined && { environment: options.environment }),
    ...(options.useCachedCatalog === true && { useCachedCatalog: true }),
    ...(options.usecacheonfailure === true && { usecacheonfailure: true }),
    ...((options.ignoreschedules === true || options.force === true) && { ignoreschedules: true }),
    ...(options.debug === true && { debug: true }),
    ...(options.showDiff === true && { showDiff: true }),
    ...(runTimeout !== undefined && { runTimeout: Math.ceil(runTimeout / 1000) }),
  };
  const parsed = v.safeParse(RunActionSchema, action);
  if (parsed.success) return parsed.output;
  const problems = problemsOf(parsed.issues).map(({ path: [name = '', ...rest], message }) => ({
    path: [`--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, ...rest],
    message,
  }));
  throw new KickError('usage', `read the options:\n  ${formatProblems(problems).replaceAll('\n', '\n  ')}`);
}

/** How requests wait; undefined: the agents' defaults. */
export function queueOf({ ifRunning, wait }: RunOptions): RunRequest['queue'] {
  if (ifRunning !== 'wait' && ifRunning !== 'skip') {
    throw new KickError('usage', `--if-running: "${String(ifRunning)}" is not known`, {
      hint: 'wait or skip',
    });
  }
  if (ifRunning === 'wait' && wait === undefined) return undefined;
  return {
    ...(ifRunning === 'skip' && { ifRunning }),
    ...(wait !== undefined && { wait: Math.ceil(wait / 1000) }),
  };
}

/** The order in which hosts start, and what stops the job. Bounds of groups come from the inventory. */
export function rolloutOf(options: RunOptions): Rollout {
  const { canary, batch, pause, confirm, maxFailures, maxUnreachable, retry, expectVersion } = options;
  const isBatched = canary !== undefined || batch !== undefined;
  if (!isBatched && (pause !== undefined || confirm === true)) {
    throw new KickError('usage', `${confirm === true ? '--confirm' : '--pause'}: there are no batches`, {
      hint: 'say how large they are: --batch 10%',
    });
  }
  if (expectVersion?.trim() === '') throw new KickError('usage', '--expect-version: it is empty');
  if (options.detach === true) refuseWithDetach(options);
  const deadlineMs = options.deadline ?? (options.emergency === true ? EMERGENCY_DEADLINE_MS : undefined);
  return {
    ...(canary !== undefined && { canary }),
    ...(batch !== undefined && { batches: batch }),
    ...(pause !== undefined && { pauseMs: pause }),
    ...(confirm === true && { confirm }),
    ...(maxFailures !== undefined && { maxFailures }),
    ...(maxUnreachable !== undefined && { maxUnreachable }),
    ...(retry !== undefined && { retry }),
    ...(deadlineMs !== undefined && { deadlineMs }),
    ...(expectVersion !== undefined && { expectVersion }),
  };
}

/** Refuses options that need the outcomes, for which --detach does not wait. */
function refuseWithDetach({ canary, maxFailures, expectVersion }: RunOptions): void {
  const needsEnds = { '--canary': canary, '--max-failures': maxFailures, '--expect-version': expectVersion };
  for (const [option, value] of Object.entries(needsEnds)) {
    if (value === undefined) continue;
    throw new KickError('usage', `${option}: with --detach nobody looks how the runs end`, {
      hint: 'leave one of them out; --batch and --pause need no end',
    });
  }
}
