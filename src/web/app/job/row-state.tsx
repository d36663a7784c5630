/** What a host of a job is doing, or what became of it. */
import { Mark, useOutcomeText } from '../parts/outcome.tsx';
import { useText } from '../text/language.tsx';
import { type Tone, toneOf } from '../theme/outcomes.ts';
import type { Row } from './job-store.ts';

export function RowState({ row: { outcome, state } }: { row: Pick<Row, 'outcome' | 'state'> }) {
  const { t } = useText();
  const textOf = useOutcomeText();
  if (outcome !== undefined) return <Mark tone={toneOf(outcome)}>{textOf(outcome)}</Mark>;
  const tone: Tone = state === 'open' ? 'open' : 'live';
  return <Mark tone={tone}>{t.job.live[state]}</Mark>;
}
