/**
 * Which hosts a command line means. Named hosts (arguments, --host, --group, --nodes-file, --all) form a
 * union; each condition (--query, --fact, --class, --last) then leaves some of them out, as do --exclude,
 * the group `maintenance`, and --limit. If nothing names hosts, the conditions alone choose; if something
 * does but comes to no hosts, the choice is empty.
 *
 * Conditions, exclusions, --limit and the refusal of an empty choice are loaded if needed: most kicks name a few hosts.
 */

import { isUsedUp, wholeAllowance } from '../../conditions/nodeset/allowance.ts';
import { evaluate, type Members, type NarrowableScope } from '../../conditions/nodeset/evaluate.ts';
import { type Named, type Parsed, parseExpression, type Term } from '../../conditions/nodeset/expression.ts';
import { KickError } from '../../errors.ts';
import type { Target } from '../../transport/transport.ts';
import type { Share } from '../../util/share.ts';
import { clip } from '../../util/text.ts';
import type { DiscoveryNote } from '../jobs/job.ts';
import { type Choice, createChoice, type Explained } from './choice.ts';
import { type Conditions, conditionsOf } from './conditions.ts';
import type { DiscoverWish, Discovery } from './discovery.ts';
import type { ExclusionContext } from './exclusion.ts';
import { createScope, everyHost } from './groups.ts';
import type { AgentAnswer } from './host-sources.ts';
import { MAINTENANCE } from './inventory.ts';
import { type SelectionContext, targetsOf, viaOfGroups } from './targets.ts';

/** Maximum number of bad expressions reported at once. */
const MAX_PROBLEMS = 20;

/** Maximum number of empty names reported one by one. */
const SHOWN = 10;

export interface Selection extends Conditions {
  named: readonly Named[];
  exclude: readonly Named[];
  all: boolean;
  limit?: Share | undefined;
  /** The seed of --limit. */
  seed: string;
  includeMaintenance: boolean;
  /** Asks the agents at the broker; defaults to not asking. */
  discover?: DiscoverWish | undefined;
}

export interface Chosen {
  targets: Target[];
  /** Every named host; those that are in come first. */
  explained(): Explained[];
  /** Left out because they are in the group `maintenance`. */
  maintenance: string[];
  /** Hosts for which a condition could not be judged: their agents did not answer. */
  unanswered: AgentAnswer[];
  discovery?: DiscoveryNote;
  /** Which of the chosen hosts are in a group. */
  membersOf(group: string): Promise<Members>;
}

/** What the steps of a choice share. */
interface Making {
  selection: Selection;
  context: SelectionContext;
  choice: Choice;
  scope: NarrowableScope;
  exclusion: ExclusionContext;
  everyone(): Promise<Members>;
  discovery: Discovery | undefined;
}

/** Throws `KickError` for anything that makes the choice unsafe; `usage` if no host is left. */
export async function selectHosts(selection: Selection, given: SelectionContext): Promise<Chosen> {
  // Everything is parsed before anything is asked.
  const [named, exclude] = parseAll(selection);
  const isNamed = named.length > 0 || selection.all;
  const { discover } = selection;
  if (!isNamed && discover === undefined && conditionsOf(selection).length === 0)
    throw (await import('./nobody.ts')).nobodyNamed();
  const asked = { isNamed, named: isNamed && !selection.all ? named : undefined, exclude };
  const discovery =
    discover &&
    (await (await import('./discovery.ts')).askEverybody(selection, { ...given, ...asked, discover }));
  const context = discovery === undefined ? given : { ...given, isHere: discovery.isHere };
  const making = begin({ selection, context, isNamed, discovery });
  const { choice, scope } = making;
  if (isNamed) await addNamed(named, making);
  else if (discovery !== undefined) choice.add(discovery.hosts, '--discover');
  // Agents that are excluded judge nothing.
  const early = discovery && (await leaveOutExcluded(exclude, making));
  const silent = await applyConditions(making, isNamed);
  const excluded = early ?? (await leaveOutExcluded(exclude, making));
  const { maintenance, members } = await leaveOutMaintenance(making);
  const isOut = (certname: string) => excluded.has(certname) || members.has(certname);
  const unanswered = silent.filter(({ target }) => !isOut(target.certname));
  if (selection.limit !== undefined) {
    const { limitText, notDrawn } = await import('./limit.ts');
    for (const certname of notDrawn(choice.staying(), selection))
      choice.leaveOut(certname, limitText(selection));
  }
  const certnames = choice.staying();
  if (certnames.length === 0 && unanswered.length === 0)
    throw (await import('./nobody.ts')).nobodyLeft(choice.out);
  const chosen = scope.over(new Set(certnames));
  return {
    targets: await targetsOf(certnames, making.context),
    explained: choice.explained,
    maintenance,
    membersOf: (group) => chosen.group(group),
    unanswered,
    ...(discovery !== undefined && { discovery: discovery.note(choice, isOut) }),
  };
}

function begin({
  selection,
  context,
  isNamed,
  discovery,
}: Pick<Making, 'selection' | 'context' | 'discovery'> & { isNamed: boolean }): Making {
  const { inventory, domain, sources, warn } = context;
  let found: Promise<Members> | undefined;
  const all = async () => discovery?.hosts ?? everyHost(sources, inventory);
  const everyone = () => (found ??= all());
  // Conditions alone choose among all hosts, so hosts that do not meet them are known as well.
  const isKnown = async (certname: string) => !isNamed && (await everyone()).has(certname);
  const scope = createScope({
    inventory,
    domain,
    sources,
    everyone,
    isKnown,
    warn,
    discovered: discovery?.hosts,
  });
  const exclusion = { scope, inventory, isKnown, warn };
  const reaching = { ...context, viaOfGroups: viaOfGroups(inventory, scope) };
  return { selection, context: reaching, choice: createChoice(), scope, exclusion, everyone, discovery };
}

// ---------------------------------------------------------------- the steps

/** Throws `KickError` `usage` if no hosts are named at all. */
async function addNamed(
  named: readonly Parsed[],
  { selection, context, choice, scope, exclusion, everyone }: Making,
): Promise<void> {
  const empty: string[] = [];
  const add = (hosts: Members, reason: string) => {
    choice.add(hosts, reason);
    if (isEmpty(hosts)) empty.push(reason);
  };
  for (const one of named) {
    const onIdle = async (term: Term, left: Members) =>
      (await import('./exclusion.ts')).reportIdle(one, { term, left }, exclusion);
    add(await evaluate(one.terms, scope, onIdle), whyOf(one));
  }
  if (selection.all) add(await everyone(), '--all');
  if (isEmpty(choice.hosts())) throw (await import('./nobody.ts')).nobodyAtAll(empty);
  for (const reason of empty.slice(0, SHOWN)) context.warn(`${clip(reason, 200)}: it names nobody`);
  if (empty.length > SHOWN) context.warn(`${empty.length - SHOWN} more name nobody`);
}

/** Returns the hosts for which a condition could not be judged. */
async function applyConditions(
  { selection, context, choice, everyone, discovery }: Making,
  isNamed: boolean,
): Promise<AgentAnswer[]> {
  let isFirst = !isNamed && discovery === undefined;
  let unanswered = (await discovery?.judge(choice, context)) ?? [];
  for (const condition of conditionsOf(selection)) {
    if (discovery?.hasJudged(condition) === true) continue;
    const { hostsOf } = await import('./condition-hosts.ts');
    const from = isFirst ? undefined : choice.staying();
    const { hosts, why, unanswered: silent = [] } = await hostsOf(condition, { from, context, everyone });
    if (isFirst) choice.add(hosts, condition.text);
    for (const certname of choice.staying())
      if (!hosts.has(certname)) choice.leaveOut(certname, why?.get(certname) ?? `not in ${condition.text}`);
    if (silent.length > 0) choice.add(new Set(silent.map(({ target }) => target.certname)), condition.text);
    for (const { target, error = '' } of silent) {
      choice.leaveOutInstead(target.certname, `not known whether ${condition.text}: ${error}`);
    }
    unanswered = [...unanswered, ...silent];
    isFirst = false;
  }
  return unanswered;
}

async function leaveOutExcluded(
  exclude: readonly Parsed[],
  { choice, exclusion }: Making,
): Promise<Set<string>> {
  const all = new Set<string>();
  for (const one of exclude) {
    const { excludedBy } = await import('./exclusion.ts');
    for (const certname of await excludedBy(one, choice.hosts(), exclusion)) {
      choice.leaveOut(certname, whyOf(one));
      all.add(certname);
    }
  }
  return all;
}

/** Returns the hosts it leaves out, and all that are in maintenance. */
async function leaveOutMaintenance({
  selection,
  context,
  choice,
  scope,
}: Making): Promise<{ maintenance: string[]; members: Members }> {
  if (selection.includeMaintenance || !context.inventory.groups.has(MAINTENANCE))
    return { maintenance: [], members: new Set() };
  const members = await scope.over(choice.hosts()).group(MAINTENANCE);
  const maintenance = choice.staying().filter((certname) => members.has(certname));
  for (const certname of maintenance)
    choice.leaveOut(certname, `in the group "${MAINTENANCE}" (--include-maintenance)`);
  return { maintenance, members };
}

const whyOf = ({ text, origin }: Named) => (text === '' ? origin : `${origin}: ${text}`);

function isEmpty(hosts: Iterable<string>): boolean {
  for (const _ of hosts) return false;
  return true;
}

/** Parses the expressions of a selection, which have one allowance. Throws one `KickError` `usage` with all problems. */
export function parseAll({ named, exclude }: Pick<Selection, 'named' | 'exclude'>): [Parsed[], Parsed[]] {
  const problems: KickError[] = [];
  const allowance = wholeAllowance();
  const parse = (all: readonly Named[]) =>
    all.map((one) => {
      // Each of the lines behind too many names would say the same.
      if (isUsedUp(allowance)) return { ...one, terms: [] };
      try {
        return { ...one, terms: parseExpression(one.text, one.origin, allowance) };
      } catch (error) {
        if (!(error instanceof KickError)) throw error;
        problems.push(error);
        return { ...one, terms: [] };
      }
    });
  const parsed: [Parsed[], Parsed[]] = [parse(named), parse(exclude)];
  const [first, ...rest] = problems;
  if (first === undefined) return parsed;
  if (rest.length === 0) throw first;
  const shown = problems.slice(0, MAX_PROBLEMS).map(({ message }) => message);
  const more = problems.length > MAX_PROBLEMS ? `\nand ${problems.length - MAX_PROBLEMS} more` : '';
  throw new KickError('usage', shown.join('\n') + more, {
    ...(first.hint !== undefined && { hint: first.hint }),
  });
}
