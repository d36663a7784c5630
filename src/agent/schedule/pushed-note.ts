/** Pull mode with `catalog: pushed`: scheduled runs apply the catalog that the last push has left (docs/puppet.md, "The cached catalog"). */
import type { RunAction } from '../../protocol/request.ts';
import type { Verdict } from '../judge/evidence.ts';
import type { Runner } from '../runners/runner.ts';
import type { Pull } from './pull.ts';

/**
 * What a run that has ended means for the schedule; undefined where it means nothing. A kick of some tags caches the
 * whole catalog all the same.
 */
export function pushedNote(pull: Pull | undefined, action: RunAction, verdict: Verdict): string | undefined {
  // Only where it was certainly replaced, and where there is no error that it would hide.
  if (verdict.outcome !== 'changed' && verdict.outcome !== 'unchanged') return undefined;
  if (verdict.facts?.noop === true) return undefined;
  if (pull?.catalog !== 'pushed' || action.noop === true || action.useCachedCatalog === true)
    return undefined;
  if (action.tags === undefined && action.skipTags === undefined) return undefined;
  return 'the cached catalog is now this one as a whole: scheduled runs will apply all of it, not only these tags';
}

/** The same runner, whose verdicts carry that note. */
export function notingPushes(runner: Runner, pull: () => Pull | undefined): Runner {
  return {
    ...runner,
    async judge(ended) {
      const verdict = await runner.judge(ended);
      const note = pushedNote(pull(), ended.action, verdict);
      if (verdict.outcome === 'race-lost' || note === undefined) return verdict;
      return { ...verdict, message: verdict.message === undefined ? note : `${verdict.message}; ${note}` };
    },
  };
}
