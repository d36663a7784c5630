/** DESIGN 12, discovery: whether what is asked is true of this host, by the rules of the controller's own choice. */
import * as v from 'valibot';
import { type FactCondition, judge, parseFactCondition, valueAt } from '../../conditions/fact-condition.ts';
import { fitsOf, judgeFacts, shownValue } from '../../conditions/judge-facts.ts';
import { hasClass, NO_CLASSES, wasLast } from '../../conditions/reported.ts';
import { judgeWhere, leavesOf, parseWhere } from '../../conditions/where.ts';
import { KickError } from '../../errors.ts';
import { type Asks, AsksSchema, type Verdict } from '../../protocol/discovery.ts';
import type { AgentStatus } from '../../protocol/status.ts';
import { clip } from '../../util/text.ts';

/** What Puppet knows of the host, or why that is not known. */
export type FactsFound = { facts: unknown } | { why: string };

export interface HostSource {
  facts(): Promise<FactsFound>;
  /** With `classes`: also Puppet's classes. */
  status(question: { classes: boolean }): Promise<AgentStatus>;
  /** Our version. */
  version: string;
}

/** Milliseconds that an operator's regular expression may take here. */
const PATTERN_MS = 100;

const YES: Verdict = { is: 'yes' };
const NO: Verdict = { is: 'no' };
const unclear = (why: string): Verdict => ({ is: 'unclear', why: clip(why, 400) });

/** `asks` may be anything: what we cannot judge is never true. */
export async function judgeHost(asks: unknown, source: HostSource): Promise<Verdict> {
  const parsed = v.safeParse(AsksSchema, asks);
  // A list without elements would be an object without conditions.
  if (!parsed.success || Array.isArray(asks))
    return unclear(`its kick (${source.version}) does not know such a condition`);
  const { facts = [], classes = [], last = [], where = [], olderThan = 0 } = parsed.output;
  const verdicts: Verdict[] = [];
  if (classes.length > 0 || last.length > 0) {
    const status = await source.status({ classes: classes.length > 0 });
    for (const name of classes) verdicts.push(byClass(status, name));
    if (last.length > 0) verdicts.push(last.some((kind) => wasLast(status, kind, olderThan)) ? YES : NO);
  }
  if (facts.length > 0 && !verdicts.includes(NO)) verdicts.push(byFacts(facts, await source.facts()));
  for (const text of verdicts.includes(NO) ? [] : where) verdicts.push(await byWhere(text, source));
  return verdicts.find(({ is }) => is === 'no') ?? verdicts.find(({ is }) => is === 'unclear') ?? YES;
}

function byClass({ classes }: AgentStatus, name: string): Verdict {
  const has = hasClass(classes, name);
  if (has === undefined) return unclear(NO_CLASSES);
  return has ? YES : NO;
}

function byFacts(texts: NonNullable<Asks['facts']>, found: FactsFound): Verdict {
  if ('why' in found) return unclear(found.why);
  try {
    const conditions = texts.map(parseFactCondition);
    const values = conditions.map(({ path }) => valueAt(found.facts, path));
    const verdict = judgeFacts(conditions, values, fitsOf(conditions, [values], { ms: PATTERN_MS }));
    if (typeof verdict === 'boolean') return verdict ? YES : NO;
    return unclear(incomparable(conditions[verdict], values[verdict]));
  } catch (error) {
    if (!(error instanceof KickError)) throw error;
    return unclear(error.message);
  }
}

async function byWhere(text: string, source: HostSource): Promise<Verdict> {
  try {
    const { where } = parseWhere(text);
    const leaves = leavesOf(where);
    const conditions = leaves.flatMap((leaf) => (leaf.kind === 'fact' ? [leaf.condition] : []));
    const found = conditions.length > 0 ? await source.facts() : { facts: {} };
    const values = conditions.map(({ path }) => ('why' in found ? undefined : valueAt(found.facts, path)));
    const fits = fitsOf(conditions, [values], { ms: PATTERN_MS });
    const byClass = leaves.some(({ kind }) => kind === 'class');
    const classes = byClass ? (await source.status({ classes: true })).classes : undefined;
    const verdict = judgeWhere(where, (leaf) => {
      if (leaf.kind === 'class') return hasClass(classes, leaf.name);
      if ('why' in found) return undefined;
      const at = conditions.indexOf(leaf.condition);
      const holds = judge(values[at], leaf.condition, fits[at]);
      return holds === 'incomparable' ? undefined : holds;
    });
    if (typeof verdict === 'boolean') return verdict ? YES : NO;
    if (verdict.kind === 'class') return unclear(NO_CLASSES);
    return unclear(
      'why' in found
        ? found.why
        : incomparable(verdict.condition, values[conditions.indexOf(verdict.condition)]),
    );
  } catch (error) {
    if (!(error instanceof KickError)) throw error;
    return unclear(error.message);
  }
}

const incomparable = (condition: FactCondition | undefined, value: unknown) =>
  `--fact ${clip(condition?.text ?? '', 100)}: ${shownValue(value)} cannot be compared`;
