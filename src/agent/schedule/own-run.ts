/** Runs of the agent's own schedule: requests like any other, except that they are not signed. */
import type { RunAction, RunRequest } from '../../protocol/request.ts';
import type { Clock } from '../../util/clock.ts';
import { uuidv7 } from '../../util/uuid.ts';
import type { Accept } from '../admission/accept.ts';
import type { RunChecks } from '../admission/run-checks.ts';
import type { Standing } from '../standing.ts';

export interface OwnRunDeps {
  standing: Standing;
  checks: Pick<RunChecks, 'checkRoom'>;
  accept: Accept;
  clock: Clock;
}

/** Returns a function that queues a run, which waits for at most `waitS` seconds. It throws `Refusal` if there is no room. */
export function createOwnRun(deps: OwnRunDeps): (action: RunAction, waitS: number) => Promise<void> {
  const { standing, checks, accept, clock } = deps;
  return async (action, waitS) => {
    const { certname } = standing;
    if (standing.stopping.aborted || certname === undefined) return;
    await checks.checkRoom();
    const now = clock.now();
    const iat = Math.floor(now / 1000);
    const request: RunRequest = {
      v: 1,
      jti: uuidv7(now),
      job: uuidv7(now),
      attempt: 1,
      iss: certname,
      aud: certname,
      iat,
      exp: iat + waitS,
      action,
      queue: { wait: waitS },
      by: { user: 'schedule', uid: 0, host: certname },
    };
    await accept(request, 'own schedule');
  };
}
