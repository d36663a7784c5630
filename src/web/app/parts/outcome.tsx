/** Outcomes as words with a colour, and as a bar. */
import { useText } from '../text/language.tsx';
import { OUTCOMES, type Tone, toneOf } from '../theme/outcomes.ts';

export function Mark({ tone, children }: { tone: Tone; children: string }) {
  return (
    <span className="tone" data-tone={tone}>
      {children}
    </span>
  );
}

export function useOutcomeText(): (outcome: string) => string {
  const { t } = useText();
  return (outcome) => t.outcomes[outcome as keyof typeof t.outcomes] ?? outcome;
}

export type Counts = Readonly<Record<string, number | undefined>>;

interface BarProps {
  counts: Counts;
  hosts: number;
  isThin?: boolean;
}

/** What is left of `hosts` is not over yet. */
export function OutcomeBar({ counts, hosts, isThin = false }: BarProps) {
  const textOf = useOutcomeText();
  const { f } = useText();
  const parts = OUTCOMES.flatMap((outcome) => {
    const count = counts[outcome] ?? 0;
    return count === 0 ? [] : [{ outcome, count }];
  });
  const left = hosts - parts.reduce((sum, { count }) => sum + count, 0);
  const words = parts.map(({ outcome, count }) => `${f.number(count)} ${textOf(outcome)}`).join(', ');
  return (
    <div
      className={isThin ? 'bar thin' : 'bar'}
      role="img"
      aria-label={words === '' ? textOf('open') : words}
    >
      {parts.map(({ outcome, count }) => (
        <i key={outcome} data-tone={toneOf(outcome)} style={{ flexGrow: count, flexBasis: 0 }} />
      ))}
      {left > 0 && <i data-tone="open" style={{ flexGrow: left, flexBasis: 0 }} />}
    </div>
  );
}
