/**
 * DESIGN 12, discovery: this host's facts. Puppet sends them and keeps none (docs/puppet.md, "Facts"), so Puppet is asked,
 * at most once an hour and never twice at once; questions are answered with what it said last.
 */
import * as v from 'valibot';
import { messageOf } from '../../errors.ts';
import { writeFileAtomic } from '../../util/atomic-file.ts';
import { longText, time } from '../../util/bounds.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { readStored, type StoredFormat, storedText } from '../../util/stored-json.ts';
import type { FactsFound } from './judge-host.ts';

const MAX_AGE_MS = 3_600_000;

/** Bytes of what Puppet prints, and of the file. */
export const MAX_FACTS_BYTES = 2 << 20;

const FactsSchema = v.object({
  /** Milliseconds since 1970. */
  at: time,
  facts: v.record(longText, v.unknown()),
});
const FORMAT = {
  schema: FactsSchema,
  version: 1,
  maxBytes: 2 * MAX_FACTS_BYTES,
} satisfies StoredFormat<v.GenericSchema>;

export interface HostFacts {
  /** What is known now; if it is old, Puppet is asked in the background. */
  facts(): Promise<FactsFound>;
  isAsking(): boolean;
  /** Waits for Puppet, if it is being asked. */
  settled(): Promise<void>;
}

export interface HostFactsOptions {
  /** Where they are kept. */
  path: string;
  /** Asks Puppet; bounded in time and size. Undefined for a runner without facts. */
  ask: (() => Promise<Record<string, unknown>>) | undefined;
  clock: Clock;
  log: Log;
}

export function createHostFacts({ path, ask, clock, log }: HostFactsOptions): HostFacts {
  let asking: Promise<void> | undefined;
  /** Monotonic milliseconds. */
  let askedAt: number | undefined;
  let problem: string | undefined;

  async function refresh(work: NonNullable<typeof ask>): Promise<void> {
    try {
      const facts = await work();
      await writeFileAtomic(path, storedText({ at: clock.now(), facts }, FORMAT));
      problem = undefined;
    } catch (error) {
      problem = messageOf(error);
      log.warn({ reason: problem }, 'cannot ask Puppet for facts');
    } finally {
      asking = undefined;
    }
  }

  function refreshIfDue(at: number | undefined): void {
    if (ask === undefined || asking !== undefined) return;
    if (at !== undefined && Math.abs(clock.now() - at) < MAX_AGE_MS) return;
    if (askedAt !== undefined && clock.monotonic() - askedAt < MAX_AGE_MS) return;
    askedAt = clock.monotonic();
    asking = refresh(ask);
  }

  return {
    async facts() {
      if (ask === undefined) return { why: 'its facts are not known: its runner is not Puppet' };
      const stored = await readStored(path, FORMAT).catch(() => undefined);
      refreshIfDue(stored?.at);
      if (stored !== undefined) return { facts: stored.facts };
      return {
        why:
          problem === undefined
            ? 'its facts are not known yet: Puppet is being asked, try again in a minute'
            : `its facts are not known: ${problem}`,
      };
    },
    isAsking: () => asking !== undefined,
    settled: async () => asking,
  };
}
