/** Hosts that did not answer, by what stood against it. */
import type { AgentAnswer } from '../targeting/host-sources.ts';
import { groupAlike } from './group-alike.ts';

export interface SilentHosts {
  error: string;
  /** The others differ in an address, a time, …: it is the error of the first. */
  isExample: boolean;
  certnames: readonly string[];
}

/** The largest group first; of hosts that did answer, only those whose answer lacks what was asked. */
export function silentHosts(answers: readonly AgentAnswer[]): SilentHosts[] {
  const silent = answers.filter(({ status, error }) => status === undefined || error !== undefined);
  return groupAlike(silent, ({ target: { certname, host }, error = 'no answer' }) => ({
    kind: '',
    text: error,
    names: [certname, host],
  }))
    .map(({ items, text, isExample }) => ({
      error: text,
      isExample,
      certnames: items.map(({ target }) => target.certname),
    }))
    .sort((a, b) => b.certnames.length - a.certnames.length);
}
