/** What must hold of hosts (--query, --fact, --class, --last), and of whom it does: PuppetDB knows, else the agents. */
import type { AgentStatus } from '../../protocol/status.ts';
import { byFacts, needsPuppetDb } from './fact-choice.ts';
import type { FactCondition } from './fact-condition.ts';
import type { AgentAnswer, LastKind } from './host-sources.ts';
import type { Found, HostsOfOptions } from './question.ts';
import { targetsOf } from './targets.ts';

export interface Conditions {
  queries: readonly string[];
  facts: readonly FactCondition[];
  classes: readonly string[];
  last: readonly LastKind[];
  /** Milliseconds: what `stale` means. */
  olderThanMs: number;
}

/** Something that must hold of a host; `text` is how it was asked for. */
export type Condition = { text: string } & (
  | { kind: 'query'; pql: string }
  | { kind: 'facts'; facts: readonly FactCondition[] }
  | { kind: 'class'; name: string }
  | { kind: 'last'; last: readonly LastKind[]; olderThanMs: number }
);

/** Those that cost little first. */
export function conditionsOf({ queries, facts, classes, last, olderThanMs }: Conditions): Condition[] {
  return [
    ...(facts.length > 0
      ? [{ kind: 'facts' as const, facts, text: facts.map(({ text }) => `--fact ${text}`).join(' ') }]
      : []),
    ...queries.map((pql) => ({ kind: 'query' as const, pql, text: '--query' })),
    ...classes.map((name) => ({ kind: 'class' as const, name, text: `--class ${name}` })),
    ...(last.length > 0
      ? [{ kind: 'last' as const, last, olderThanMs, text: `--last ${last.join(',')}` }]
      : []),
  ];
}

/** Of whom a condition holds. Throws `KickError` where nobody can tell. */
export async function hostsOf(condition: Condition, options: HostsOfOptions): Promise<Found> {
  const { database } = options.context.sources;
  switch (condition.kind) {
    case 'query':
      if (database === undefined) throw needsPuppetDb('--query');
      return { hosts: new Set(await database.byQuery(condition.pql)) };
    case 'facts':
      return byFacts(condition.facts, options);
    case 'class':
      if (database !== undefined) return { hosts: new Set(await database.byClass(condition.name)) };
      return byAgents(options, ({ classes }) => hasClass(classes, condition.name));
    case 'last': {
      const { last, olderThanMs } = condition;
      if (database === undefined) {
        return byAgents(options, (status) => last.some((kind) => wasLast(status, kind, olderThanMs)));
      }
      const hosts = new Set<string>();
      for (const kind of last) for (const one of await database.byLast({ kind, olderThanMs })) hosts.add(one);
      return { hosts };
    }
  }
}

/**
 * Without PuppetDB the agents themselves know: those named, else everybody. `holds` gives undefined
 * where the host does not say.
 */
async function byAgents(
  { from, context, everyone }: HostsOfOptions,
  holds: (status: AgentStatus) => boolean | undefined,
): Promise<Found> {
  const asked = await targetsOf(from ?? [...(await everyone())], context);
  const hosts = new Set<string>();
  const unanswered: AgentAnswer[] = [];
  for (const answer of await context.sources.askAgents(asked, { classes: true })) {
    const { target, status } = answer;
    const does = status === undefined ? undefined : holds(status);
    if (does === true) hosts.add(target.certname);
    if (does === undefined)
      unanswered.push({ error: 'its Puppet has not run yet, or is not known', ...answer });
  }
  return { hosts, unanswered };
}

function hasClass(classes: readonly string[] | undefined, name: string): boolean | undefined {
  // As Puppet writes them: lower case, without a leading ::.
  return classes?.includes(name.toLowerCase().replace(/^::/, ''));
}

function wasLast({ lastRun, time }: AgentStatus, kind: LastKind, olderThanMs: number): boolean {
  if (kind === 'stale') return lastRun === undefined || lastRun.at < time - olderThanMs;
  return lastRun?.status === kind;
}
