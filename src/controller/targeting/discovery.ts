/**
 * --discover (DESIGN 12): the hosts are those whose agents answer, and that say that the conditions hold. Who is expected and
 * silent is known as well: hosts that are named, else those that PuppetDB or the inventory has.
 */

import { keysOf, type Members } from '../../conditions/nodeset/evaluate.ts';
import type { Parsed } from '../../conditions/nodeset/expression.ts';
import { KickError, messageOf } from '../../errors.ts';
import type { Asks, Meant } from '../../protocol/discovery.ts';
import { clip } from '../../util/text.ts';
import type { Discovered } from '../fleet/discover.ts';
import type { DiscoveryNote } from '../jobs/job.ts';
import type { Choice } from './choice.ts';
import { type Condition, type Conditions, conditionsOf } from './conditions.ts';
import type { AgentAnswer, HostSources } from './host-sources.ts';
import type { Inventory } from './inventory.ts';
import { askedAmong, meantHosts } from './meant-hosts.ts';
import { type SelectionContext, targetsOf } from './targets.ts';

export interface DiscoverWish {
  /** Milliseconds; defaults to as long as answers come. */
  waitMs?: number | undefined;
}

/** What the agents said, before anybody is chosen. */
export interface Discovery {
  /** All that may be meant: who answered, and who was expected. */
  hosts: Members;
  /** Whether the agents have judged a condition. */
  hasJudged(condition: Condition): boolean;
  /** Whether an agent answered, whatever it said. */
  isHere(certname: string): boolean;
  /** Leaves out for whom the conditions do not hold, and who is silent. Returns whom nobody could judge, the silent among them. */
  judge(choice: Choice, context: SelectionContext): Promise<AgentAnswer[]>;
  /** `isOut`: excluded, or in maintenance. */
  note(choice: Choice, isOut: (certname: string) => boolean): DiscoveryNote;
}

export interface Asking {
  discover: DiscoverWish;
  sources: HostSources;
  inventory: Inventory;
  domain?: string | undefined;
  /** Whether the command line names hosts: then these are expected. */
  isNamed: boolean;
  /** Undefined for everybody. */
  named: readonly Parsed[] | undefined;
  exclude: readonly Parsed[];
  warn(message: string): void;
}

const SILENT = 'silent: its agent did not answer through the broker';
const ABSENT = 'silent: its agent is not connected to the broker';

/** Conditions that the agents judge; --query is PuppetDB's. */
const isForAgents = ({ kind }: Condition) => kind !== 'query';

export async function askEverybody(conditions: Conditions, asking: Asking): Promise<Discovery> {
  const { sources, inventory, isNamed, warn } = asking;
  const expected = isNamed ? undefined : await expectedHosts({ sources, inventory, warn });
  const meant = meantHosts(asking, asking);
  const found = await sources.discover(asksOf(conditions), {
    meant,
    expected: await awaitedHosts(expected, meant, asking),
    all: isNamed,
    waitMs: asking.discover.waitMs,
  });
  const { answers, absent, ignored, tookMs } = found;
  const strange = ignored.forged + ignored.tooMany;
  if (strange > 0) warn(`--discover: ${strange} answers ignored: not signed by the host that they name`);
  const text = conditionsOf(conditions)
    .filter(isForAgents)
    .map((one) => one.text)
    .join(' ');
  return {
    hosts: union(expected, answers),
    hasJudged: isForAgents,
    isHere: (certname) => answers.has(certname),
    judge: (choice, context) => judge(choice, { answers, absent, text, context }),
    note(choice, isOut) {
      const whom = [...(isNamed ? choice.hosts() : (expected ?? []))].filter((one) => !isOut(one));
      const silent = whom.filter((one) => !answers.has(one));
      const count = { hosts: whom.length, answered: whom.length - silent.length };
      return {
        tookMs,
        ...((isNamed || expected !== undefined) && { expected: count }),
        silent,
        ignored: strange + ignored.repeated,
      };
    },
  };
}

function asksOf({ facts, classes, last, wheres = [], olderThanMs }: Conditions): Asks {
  return {
    ...(wheres.length > 0 && { where: wheres.map(({ text }) => text) }),
    ...(facts.length > 0 && { facts: facts.map(({ text }) => text) }),
    ...(classes.length > 0 && { classes: [...classes] }),
    ...(last.length > 0 && { last: [...new Set(last)], olderThan: olderThanMs }),
  };
}

/** Discovery is for sites without PuppetDB as well: whom to expect is then not known. */
async function expectedHosts({
  sources: { database },
  inventory,
  warn,
}: Pick<Asking, 'sources' | 'inventory' | 'warn'>): Promise<Members | undefined> {
  if (database !== undefined) {
    try {
      return new Set(await database.active());
    } catch (error) {
      if (!(error instanceof KickError)) throw error;
      warn(`--discover: whom to expect is not known: ${clip(messageOf(error), 300)}`);
    }
  }
  return inventory.listsTargets ? keysOf(inventory.hosts) : undefined;
}

/** Those of whom it is known before anybody answers; of hosts in groups it is not. */
async function awaitedHosts(
  expected: Members | undefined,
  meant: Meant | undefined,
  { isNamed, inventory }: Asking,
): Promise<Members | undefined> {
  if (!isNamed) return expected && meant ? askedAmong(expected, meant) : expected;
  if (meant?.named === undefined) return undefined;
  return askedAmong(inventory.listsTargets ? keysOf(inventory.hosts) : new Set(), meant);
}

/** Whoever is faster comes no earlier: batches must be the same again. */
function union(expected: Members | undefined, answers: Discovered['answers']): Members {
  return new Set([...(expected ?? []), ...[...answers.keys()].sort()]);
}

async function judge(
  choice: Choice,
  {
    answers,
    absent,
    text,
    context,
  }: Pick<Discovered, 'answers' | 'absent'> & { text: string; context: SelectionContext },
): Promise<AgentAnswer[]> {
  const errors = new Map<string, string>();
  for (const certname of choice.staying()) {
    const { is, why = 'it does not say why' } = answers.get(certname) ?? { is: 'silent' };
    if (is === 'no') choice.leaveOut(certname, `not in ${text}`);
    if (is === 'silent') {
      const silent = absent.has(certname) ? ABSENT : SILENT;
      errors.set(certname, silent);
      choice.leaveOutInstead(certname, silent);
    }
    if (is === 'unclear') {
      errors.set(certname, why);
      choice.leaveOutInstead(certname, `not known whether ${text === '' ? 'it is meant' : text}: ${why}`);
    }
  }
  const targets = await targetsOf([...errors.keys()], context);
  return targets.map((target) => ({ target, error: errors.get(target.certname) ?? SILENT }));
}
