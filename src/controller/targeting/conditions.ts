/** Conditions on hosts (--query, --fact, --class, --where, --last). condition-hosts.ts answers them. */
import type { FactCondition } from '../../conditions/fact-condition.ts';
import type { WhereCondition } from '../../conditions/where.ts';
import type { LastKind } from '../../protocol/names.ts';

export interface Conditions {
  queries: readonly string[];
  facts: readonly FactCondition[];
  classes: readonly string[];
  last: readonly LastKind[];
  /** Expressions of facts and classes; defaults to none. */
  wheres?: readonly WhereCondition[] | undefined;
  /** Milliseconds; older reports are `stale`. */
  olderThanMs: number;
}

/** Something that must be true of a host; `text` is how it was asked for. */
export type Condition = { text: string } & (
  | { kind: 'query'; pql: string }
  | { kind: 'facts'; facts: readonly FactCondition[] }
  | { kind: 'class'; name: string }
  | { kind: 'where'; where: WhereCondition }
  | { kind: 'last'; last: readonly LastKind[]; olderThanMs: number }
);

/** The cheap ones first. */
export function conditionsOf({
  queries,
  facts,
  classes,
  last,
  wheres = [],
  olderThanMs,
}: Conditions): Condition[] {
  return [
    ...(facts.length > 0
      ? [{ kind: 'facts' as const, facts, text: facts.map(({ text }) => `--fact ${text}`).join(' ') }]
      : []),
    ...queries.map((pql) => ({ kind: 'query' as const, pql, text: '--query' })),
    ...classes.map((name) => ({ kind: 'class' as const, name, text: `--class ${name}` })),
    ...wheres.map((where) => ({ kind: 'where' as const, where, text: `--where ${where.text}` })),
    ...(last.length > 0
      ? [{ kind: 'last' as const, last, olderThanMs, text: `--last ${last.join(',')}` }]
      : []),
  ];
}
