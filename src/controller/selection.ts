/**
 * Which hosts a command line means. Those that are named (arguments, --host, --group,
 * --nodes-file, --all) are a union; each condition (--query, --fact, --class, --last) then leaves
 * some of them out, as do --exclude, the group of hosts in maintenance, and --limit. Where nobody
 * is named the conditions alone choose.
 */
import { createHash } from 'node:crypto';
import { KickError } from '../errors.ts';
import type { Target } from '../transport/transport.ts';
import { plural } from '../util/text.ts';
import { type Conditions, conditionsOf, hostsOf } from './conditions.ts';
import { createScope } from './groups.ts';
import type { AgentAnswer, HostSources } from './host-sources.ts';
import { type Inventory, MAINTENANCE } from './inventory.ts';
import { evaluate, keysOf, type Members } from './nodeset/evaluate.ts';
import { parseExpression, type Term } from './nodeset/expression.ts';
import type { GroupBound } from './rollout.ts';
import { countOf, formatShare, type Share } from './share.ts';
import { type SelectionContext, targetsOf } from './targets.ts';

/** Bad expressions that are told at once. */
const MAX_PROBLEMS = 20;

/** An expression and where it stands, for messages: `argument 2`, `nodes.txt:3`. */
export interface Named {
  text: string;
  origin: string;
}

export interface Selection extends Conditions {
  named: readonly Named[];
  exclude: readonly Named[];
  all: boolean;
  limit?: Share | undefined;
  /** What the random choice of --limit depends on. */
  seed: string;
  includeMaintenance: boolean;
}

/** Why a host is in or out. */
export interface Explained {
  certname: string;
  isIn: boolean;
  /** By what it was named; then, if it is out, what left it out. */
  because: readonly string[];
}

export interface Chosen {
  targets: Target[];
  /** Everybody who was named, those who are in first. */
  explained(): Explained[];
  /** Left out since they are in the group `maintenance`. */
  maintenance: string[];
  /** Whether a condition holds of them, nobody can tell: their agents did not answer. */
  unanswered: AgentAnswer[];
  /** Who is in a group. */
  membersOf(group: string): Promise<Members>;
}

/** Throws `KickError` for whatever makes the choice unsafe; nobody left is `usage`. */
export async function selectHosts(selection: Selection, context: SelectionContext): Promise<Chosen> {
  const { sources, inventory } = context;
  let everyone: Promise<Members> | undefined;
  const scope = createScope({
    inventory,
    domain: context.domain,
    sources,
    everyone: everyoneOf,
  });
  // All that may be wrong is read before anybody is asked.
  const [named, exclude] = parseAll(selection);

  const all = createNamed();
  const out = new Map<string, string>();
  const leaveOut = (certname: string, why: string) => {
    if (all.hosts().has(certname) && !out.has(certname)) out.set(certname, why);
  };
  const staying = () => {
    const hosts = [...all.hosts()];
    return out.size === 0 ? hosts : hosts.filter((certname) => !out.has(certname));
  };

  for (const { text, origin, terms } of named) all.add(await evaluate(terms, scope), `${origin}: ${text}`);
  if (selection.all) all.add(await everyoneOf(), '--all');
  const isNamed = named.length > 0 || selection.all;
  const conditions = conditionsOf(selection);
  if (!isNamed && conditions.length === 0) throw nobodyNamed();

  let isFirst = !isNamed;
  let unanswered: AgentAnswer[] = [];
  for (const condition of conditions) {
    const from = isFirst ? undefined : staying();
    const { hosts, unanswered: silent = [] } = await hostsOf(condition, { from, context, scope: everyoneOf });
    if (isFirst) all.add(hosts, condition.text);
    for (const certname of staying())
      if (!hosts.has(certname)) leaveOut(certname, `not in ${condition.text}`);
    if (silent.length > 0) all.add(new Set(silent.map(({ target }) => target.certname)), condition.text);
    for (const { target, error = '' } of silent) {
      out.set(target.certname, `not known whether ${condition.text}: ${error}`);
    }
    unanswered = [...unanswered, ...silent];
    isFirst = false;
  }
  for (const { text, origin, terms } of exclude) {
    for (const certname of await evaluate(terms, scope)) leaveOut(certname, `${origin}: ${text}`);
  }
  const maintenance = await leaveOutMaintenance();
  if (selection.limit !== undefined) {
    for (const certname of notDrawn(staying(), selection)) leaveOut(certname, limitText(selection));
  }
  const certnames = staying();
  if (certnames.length === 0 && unanswered.length === 0) throw nobodyLeft(out);
  return {
    targets: await targetsOf(certnames, context),
    explained,
    maintenance,
    membersOf: (group) => scope.group(group),
    unanswered: unanswered.filter(({ target }) => !maintenance.includes(target.certname)),
  };

  function explained(): Explained[] {
    const told = [...all.reasons()].map(([certname, reasons]): Explained => {
      const why = out.get(certname);
      return { certname, isIn: why === undefined, because: why === undefined ? reasons : [...reasons, why] };
    });
    return told.sort((a, b) => Number(b.isIn) - Number(a.isIn));
  }

  function everyoneOf(): Promise<Members> {
    everyone ??= everyHost(sources, inventory);
    return everyone;
  }

  async function leaveOutMaintenance(): Promise<string[]> {
    if (selection.includeMaintenance || !inventory.groups.has(MAINTENANCE)) return [];
    const members = await scope.group(MAINTENANCE);
    const found = staying().filter((certname) => members.has(certname));
    for (const certname of found) leaveOut(certname, `in the group "${MAINTENANCE}" (--include-maintenance)`);
    return found;
  }
}

interface Parsed extends Named {
  terms: readonly Term[];
}

/** The expressions of a selection. Throws `KickError` `usage` with everything that is wrong with any of them. */
export function parseAll({ named, exclude }: Pick<Selection, 'named' | 'exclude'>): [Parsed[], Parsed[]] {
  const problems: KickError[] = [];
  const parse = (all: readonly Named[]) =>
    all.map((one) => {
      try {
        return { ...one, terms: parseExpression(one.text, one.origin) };
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

/** All who were named, in the order in which they first were, and by what; why is seldom asked. */
function createNamed() {
  const parts: { hosts: Members; reason: string }[] = [];
  let union: Set<string> | undefined;

  function hosts(): Members {
    if (parts.length < 2) return parts[0]?.hosts ?? new Set();
    union ??= new Set(parts.flatMap((part) => [...part.hosts]));
    return union;
  }

  return {
    hosts,
    add(hosts: Members, reason: string): void {
      parts.push({ hosts, reason });
      if (union !== undefined) for (const certname of hosts) union.add(certname);
    },
    /** Hosts that were named alike share one list: there may be very many. */
    reasons(): Map<string, readonly string[]> {
      const because = new Map<string, readonly string[]>();
      for (const { hosts, reason } of parts) {
        const alone = [reason];
        for (const certname of hosts) {
          const reasons = because.get(certname);
          because.set(certname, reasons === undefined ? alone : [...reasons, reason]);
        }
      }
      return because;
    },
  };
}

/** The groups that bound how many of these hosts run at once. */
export async function groupBoundsOf(
  { groups }: Inventory,
  targets: readonly Target[],
  membersOf: Chosen['membersOf'],
): Promise<GroupBound[]> {
  const bounds: GroupBound[] = [];
  for (const { name, concurrency } of groups.values()) {
    if (concurrency === undefined) continue;
    const members = await membersOf(name);
    const certnames = targets.map(({ certname }) => certname).filter((one) => members.has(one));
    if (certnames.length > 0) bounds.push({ name, concurrency, certnames });
  }
  return bounds;
}

// ---------------------------------------------------------------- everybody

/** PuppetDB's active nodes; without it the inventory's hosts; else those whose certificates Puppet's CA has signed. */
async function everyHost({ database, signedCertnames }: HostSources, { hosts }: Inventory): Promise<Members> {
  if (database !== undefined) return new Set(await database.active());
  if (hosts.size > 0) return keysOf(hosts);
  const signed = await signedCertnames();
  if (signed !== undefined) return new Set(signed);
  throw new KickError('usage', 'find all hosts: there is no PuppetDB, no inventory and no Puppet CA here', {
    hint: 'name hosts, write /etc/kick/inventory.yaml, or set puppetdb: {urls: [...]} in controller.yaml',
  });
}

// ---------------------------------------------------------------- limit

/** Whom --limit leaves out. It depends on the names and the seed alone, not on their order. */
function notDrawn(certnames: readonly string[], { limit, seed }: Selection): string[] {
  if (limit === undefined) return [];
  const drawn = certnames.map((certname) => ({
    certname,
    lot: createHash('sha256').update(`${seed}\0${certname}`).digest('hex'),
  }));
  drawn.sort((a, b) => (a.lot < b.lot ? -1 : 1));
  return drawn.slice(countOf(limit, certnames.length)).map(({ certname }) => certname);
}

function limitText({ limit, seed }: Selection): string {
  return `not drawn by --limit ${limit === undefined ? '' : formatShare(limit)} --seed ${seed}`;
}

// ---------------------------------------------------------------- nobody

function nobodyNamed(): KickError {
  return new KickError('usage', 'read the host names: there are none', {
    hint: "name hosts: kick web1.example.com, kick 'web[01-20]', kick @dmz, kick --all",
  });
}

function nobodyLeft(out: ReadonlyMap<string, string>): KickError {
  const counts = new Map<string, number>();
  for (const why of out.values()) counts.set(why, (counts.get(why) ?? 0) + 1);
  const shown = [...counts].slice(0, 3).map(([why, count]) => `${plural(count, 'host')} ${why}`);
  const why = shown.length === 0 ? 'nothing that was named is a host' : shown.join('; ');
  return new KickError('usage', `choose the hosts: nobody is left: ${why}`, {
    hint: 'kick nodes --explain … shows why each host is in or out',
  });
}
