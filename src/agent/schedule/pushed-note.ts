/** Pull mode with `catalog: pushed`: scheduled runs apply the catalog that the last push has cached (docs/puppet.md, "The cached catalog"). */
import type { RunAction } from '../../protocol/request.ts';
import type { Verdict } from '../judge/evidence.ts';
import type { Runner } from '../runners/runner.ts';
import type { Pull } from './pull.ts';

/**
 * A note on what a run means for the schedule, if anything: a kick with tags caches the whole catalog nevertheless.
 */
export function pushedNote(pull: Pull | undefined, action: RunAction, verdict: Verdict): string | undefined {
  // Only if the cached catalog was certainly replaced, and there is no error that the note would hide.
  if (verdict.outcome !== 'changed' && verdict.outcome !== 'unchanged') return undefined;
  if (verdict.facts?.noop === true) return undefined;
  if (pull?.catalog !== 'pushed' || action.noop === true || action.useCachedCatalog === true)
    return undefined;
  if (action.tags === undefined && action.skipTags === undefined) return undefined;
  return 'the cached catalog is now this one as a whole: scheduled runs will apply all of it, not only these tags';
}

/** Returns the same runner, with that note in its verdicts. */
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
