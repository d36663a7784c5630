/**
 * Which hosts a command line means. Those that are named (arguments, --host, --group,
 * --nodes-file, --all) are a union; each condition (--query, --fact, --class, --last) then leaves
 * some of them out, as do --exclude, the group of hosts in maintenance, and --limit. Where nobody
 * is named the conditions alone choose.
 */
import { createHash } from 'node:crypto';
import { KickError } from '../errors.ts';
import type { AgentStatus } from '../protocol/status.ts';
import type { Target } from '../transport/transport.ts';
import { plural } from '../util/text.ts';
import { type FactCondition, fulfils } from './fact-condition.ts';
import { createScope } from './groups.ts';
import type { AgentAnswer, HostSources, LastKind } from './host-sources.ts';
import { type Inventory, MAINTENANCE } from './inventory.ts';
import { evaluate, keysOf, type Members } from './nodeset/evaluate.ts';
import { parseExpression, type Term } from './nodeset/expression.ts';
import type { GroupBound } from './rollout.ts';
import { countOf, formatShare, type Share } from './share.ts';

/** Bad expressions that are told at once. */
const MAX_PROBLEMS = 20;

/** An expression and where it stands, for messages: `argument 2`, `nodes.txt:3`. */
export interface Named {
  text: string;
  origin: string;
}

export interface Selection {
  named: readonly Named[];
  exclude: readonly Named[];
  all: boolean;
  queries: readonly string[];
  facts: readonly FactCondition[];
  classes: readonly string[];
  last: readonly LastKind[];
  /** Milliseconds: what `stale` means. */
  olderThanMs: number;
  limit?: Share | undefined;
  /** What the random choice of --limit depends on. */
  seed: string;
  includeMaintenance: boolean;
}

export interface SelectionContext {
  inventory: Inventory;
  sources: HostSources;
  /** Added to a name without a dot that the inventory does not know. */
  domain?: string | undefined;
  /** Where agents listen, unless the inventory says otherwise. */
  port: number;
  /** The fact that is the address of hosts for which the inventory has none. */
  addressFrom?: FactCondition['path'] | undefined;
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

// ---------------------------------------------------------------- conditions

type Condition = { text: string } & (
  | { kind: 'query'; pql: string }
  | { kind: 'facts'; facts: readonly FactCondition[] }
  | { kind: 'class'; name: string }
  | { kind: 'last'; last: readonly LastKind[]; olderThanMs: number }
);

/** Those that cost little first. */
function conditionsOf({ queries, facts, classes, last, olderThanMs }: Selection): Condition[] {
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

interface HostsOfOptions {
  /** Who is still in; absent: nobody has been named. */
  from: readonly string[] | undefined;
  context: SelectionContext;
  scope(): Promise<Members>;
}

interface Found {
  hosts: Members;
  unanswered?: AgentAnswer[];
}

async function hostsOf(condition: Condition, options: HostsOfOptions): Promise<Found> {
  const { database } = options.context.sources;
  switch (condition.kind) {
    case 'query':
      if (database === undefined) throw needsPuppetDb('--query');
      return { hosts: new Set(await database.byQuery(condition.pql)) };
    case 'facts':
      if (database !== undefined) return { hosts: new Set(await database.byFacts(condition.facts)) };
      return { hosts: byInventoryFacts(condition.facts, options.context.inventory) };
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

function byInventoryFacts(conditions: readonly FactCondition[], { hosts }: Inventory): Members {
  const all = [...hosts.values()];
  if (!all.some(({ facts }) => Object.keys(facts).length > 0)) throw needsPuppetDb('--fact');
  const fitting = all.filter(({ facts }) => conditions.every((condition) => fulfils(facts, condition)));
  return new Set(fitting.map(({ certname }) => certname));
}

/**
 * Without PuppetDB the agents themselves know: those named, else everybody. `holds` gives undefined
 * where the host does not say.
 */
async function byAgents(
  { from, context, scope }: HostsOfOptions,
  holds: (status: AgentStatus) => boolean | undefined,
): Promise<Found> {
  const asked = await targetsOf(from ?? [...(await scope())], context);
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

function needsPuppetDb(option: string): KickError {
  return new KickError('usage', `${option}: there is no PuppetDB to ask`, {
    hint: 'controller.yaml, puppetdb: {urls: [https://puppetdb.example.com:8081]}',
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

// ---------------------------------------------------------------- addresses

async function targetsOf(certnames: readonly string[], context: SelectionContext): Promise<Target[]> {
  const { inventory, port, addressFrom, sources } = context;
  let found: ReadonlyMap<string, string> | undefined;
  if (addressFrom !== undefined && sources.database !== undefined) {
    const unknown = certnames.filter((certname) => inventory.hosts.get(certname)?.address === undefined);
    if (unknown.length > 0) found = await sources.database.factOf(addressFrom, unknown);
  }
  return certnames.map((certname) => {
    const address = inventory.hosts.get(certname)?.address;
    return {
      certname,
      host: address?.host ?? found?.get(certname) ?? certname,
      port: address?.port ?? port,
    };
  });
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
