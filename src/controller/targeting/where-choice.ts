/**
 * Chooses hosts by an expression of facts and classes. Facts come from PuppetDB or the inventory, classes from PuppetDB or else
 * from the agents: only of those hosts are they asked for whom the facts have not decided it.
 */
import { type FactCondition, judge } from '../../conditions/fact-condition.ts';
import { fitsOf } from '../../conditions/judge-facts.ts';
import { hostList } from '../../conditions/nodeset/host-list.ts';
import { hasClass, NO_CLASSES } from '../../conditions/reported.ts';
import { judgeWhere, type Leaf, leavesOf, type WhereCondition } from '../../conditions/where.ts';
import { clip, plural } from '../../util/text.ts';
import { valuesOf } from './fact-choice.ts';
import type { AgentAnswer } from './host-sources.ts';
import type { Found, HostsOfOptions } from './question.ts';
import { targetsOf } from './targets.ts';

type Holds = (certname: string, leaf: Leaf) => boolean | undefined;

/** Throws `KickError` if there is no source of facts. */
export async function byWhere({ text, where }: WhereCondition, options: HostsOfOptions): Promise<Found> {
  const { from, everyone, context } = options;
  const certnames = from ?? [...(await everyone())];
  const leaves = leavesOf(where);
  const byFact = await factJudge(leaves, options);
  const byClass = await classJudge(leaves, options);
  const holds: Holds = (certname, leaf) =>
    leaf.kind === 'fact' ? byFact(certname, leaf) : byClass?.(certname, leaf);
  const hosts = new Set<string>();
  const why = new Map<string, string>();
  const open: string[] = [];
  const settle = (certname: string, known: Holds): Leaf | undefined => {
    const verdict = judgeWhere(where, (leaf) => known(certname, leaf));
    if (verdict === true) hosts.add(certname);
    return typeof verdict === 'boolean' ? undefined : verdict;
  };
  for (const certname of certnames) {
    const leaf = settle(certname, holds);
    if (leaf === undefined) continue;
    open.push(certname);
    if (leaf.kind === 'fact')
      why.set(certname, `--where: ${clip(leaf.condition.text, 100)} cannot be judged`);
  }
  const unanswered: AgentAnswer[] = [];
  if (byClass === undefined && open.length > 0) {
    const asked = await targetsOf(open, context);
    for (const answer of await context.sources.askAgents(asked, { classes: true })) {
      const { certname } = answer.target;
      const known: Holds = (name, leaf) =>
        leaf.kind === 'fact' ? byFact(name, leaf) : hasClass(answer.status?.classes, leaf.name);
      const leaf = settle(certname, known);
      if (leaf?.kind === 'class') unanswered.push({ error: NO_CLASSES, ...answer });
      if (leaf?.kind !== 'fact') why.delete(certname);
      else why.set(certname, `--where: ${clip(leaf.condition.text, 100)} cannot be judged`);
    }
  }
  if (why.size > 0)
    context.warn(
      `--where ${clip(text, 100)}: cannot be judged on ${plural(why.size, 'host')}, left out: ${hostList([...why.keys()])}`,
    );
  return { hosts, why, unanswered };
}

async function factJudge(leaves: readonly Leaf[], options: HostsOfOptions): Promise<Holds> {
  const conditions = leaves.flatMap((leaf) => (leaf.kind === 'fact' ? [leaf.condition] : []));
  if (conditions.length === 0) return () => undefined;
  const values = await valuesOf(conditions, options);
  warnOfUnknown(conditions, [...values.values()], options);
  const fits = fitsOf(conditions, values.values());
  const places = new Map(conditions.map((condition, at) => [condition, at]));
  return (certname, leaf) => {
    const at = leaf.kind === 'fact' ? places.get(leaf.condition) : undefined;
    const condition = at === undefined ? undefined : conditions[at];
    if (at === undefined || condition === undefined) return undefined;
    const verdict = judge(values.get(certname)?.[at], condition, fits[at]);
    return verdict === 'incomparable' ? undefined : verdict;
  };
}

/** Most likely a typo, of which `not` makes all hosts. */
function warnOfUnknown(
  conditions: readonly FactCondition[],
  hosts: readonly (readonly unknown[])[],
  { context }: HostsOfOptions,
): void {
  for (const [at, { text }] of conditions.entries())
    if (hosts.every((values) => values[at] === undefined))
      context.warn(`--where: ${text}: no host has this fact`);
}

/** Undefined if the agents must be asked. */
async function classJudge(leaves: readonly Leaf[], { context }: HostsOfOptions): Promise<Holds | undefined> {
  const names = new Set(leaves.flatMap((leaf) => (leaf.kind === 'class' ? [leaf.name] : [])));
  if (names.size === 0) return () => undefined;
  const { database } = context.sources;
  if (database === undefined) return undefined;
  const found = new Map<string, Set<string>>();
  for (const name of names) found.set(name, new Set(await database.byClass(name)));
  return (certname, leaf) => leaf.kind === 'class' && found.get(leaf.name)?.has(certname) === true;
}
