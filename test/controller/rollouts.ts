/** Hosts that do well, badly or nothing, for the tests of rollouts. */
import type { HostResult } from '../../src/controller/jobs/job.ts';
import { accepted, failure, finished, type Script, started } from './scripted.ts';

export const good: Script = () => [accepted, started(), finished()];
export const bad: Script = () => [accepted, started(), finished(3, { outcome: 'failed' })];
export const away: Script = () => [failure('connection-refused')];

export const hosts = (count: number, scripts: Record<number, Script> = {}, other: Script = good) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`h${index}`, scripts[index] ?? other]));
export const outcomesOf = ({ results }: { results: HostResult[] }) => results.map(({ outcome }) => outcome);
export const count = (all: readonly string[], one: string) => all.filter((outcome) => outcome === one).length;
