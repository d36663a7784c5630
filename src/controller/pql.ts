/** Questions to PuppetDB in its query language (PQL). No value of a user leaves its literal. */
import type { FactCondition } from './fact-condition.ts';
import type { LastQuestion } from './host-sources.ts';

/** A string literal: PQL's are JSON's. */
export function literal(text: string): string {
  return JSON.stringify(text);
}

/** `facts.os.family`, `facts.mounts."/boot".size`, `facts.disks[0]`. */
export function factPath(path: FactCondition['path']): string {
  return path.reduce<string>((before, key) => {
    if (typeof key === 'number') return `${before}[${key}]`;
    return `${before}.${/^[A-Za-z_][A-Za-z0-9_]*$/.test(key) ? key : literal(key)}`;
  }, 'facts');
}

/** A fact may be text, a number or a boolean: `=` means whichever it is. */
function condition({ path, comparison, value }: FactCondition): string {
  const fact = factPath(path);
  switch (comparison) {
    case '=':
      return equals(fact, value);
    case '!=':
      // A host that does not have the fact does not equal it.
      return `!(${equals(fact, value)})`;
    case '~':
      return `${fact} ~ ${literal(value)}`;
    default:
      return `${fact} ${comparison} ${value}`;
  }
}

function equals(fact: string, value: string): string {
  const isBare = /^(true|false|-?\d{1,15}(\.\d{1,15})?)$/.test(value);
  return isBare ? `(${fact} = ${literal(value)} or ${fact} = ${value})` : `${fact} = ${literal(value)}`;
}

export function byFacts(conditions: readonly FactCondition[]): string {
  return `inventory[certname]{ ${conditions.map(condition).join(' and ')} }`;
}

/** `apache::mod` is the title `Apache::Mod`. */
export function byClass(name: string): string {
  const title = name
    .replace(/^::/, '')
    .split('::')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1).toLowerCase())
    .join('::');
  return `resources[certname]{ type = "Class" and title = ${literal(title)} }`;
}

export function byLast({ kind, olderThanMs }: LastQuestion, now: number): string {
  if (kind !== 'stale') return `nodes[certname]{ latest_report_status = ${literal(kind)} }`;
  const before = new Date(now - olderThanMs).toISOString();
  return `nodes[certname]{ report_timestamp < ${literal(before)} or report_timestamp is null }`;
}

export function activeNodes(): string {
  return 'nodes[certname]{ deactivated is null and expired is null }';
}

/** A fact of many hosts. */
export function factOf(path: FactCondition['path'], certnames: readonly string[]): string {
  return `inventory[certname, ${factPath(path)}]{ certname in [${certnames.map(literal).join(', ')}] }`;
}
