/** The hosts that meet a condition, answered by PuppetDB or else by the agents. Loaded when there is one. */
import { hasClass, NO_CLASSES, wasLast } from '../../conditions/reported.ts';
import type { AgentStatus } from '../../protocol/status.ts';
import type { Condition } from './conditions.ts';
import { byFacts } from './fact-choice.ts';
import { needsPuppetDb } from './has-facts.ts';
import type { AgentAnswer } from './host-sources.ts';
import type { Found, HostsOfOptions } from './question.ts';
import { targetsOf } from './targets.ts';

/** The hosts that meet a condition. Throws `KickError` if nothing can answer it. */
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
    case 'where':
      return (await import('./where-choice.ts')).byWhere(condition.where, options);
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
 * Without PuppetDB the agents themselves are asked: of the named hosts, else of all hosts. `holds` returns
 * undefined if the host's answer does not say.
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
    if (does === undefined) unanswered.push({ error: NO_CLASSES, ...answer });
  }
  return { hosts, unanswered };
}
