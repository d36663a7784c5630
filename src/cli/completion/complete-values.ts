/** Candidates for completion: hosts, groups, jobs, outcomes, topics. */
import type { Command } from 'commander';
import { valueAt } from '../../conditions/fact-condition.ts';
import { ALL, type Inventory } from '../../controller/targeting/inventory.ts';
import { LAST_KINDS } from '../../protocol/names.ts';
import { OUTCOME_NAMES } from '../../protocol/outcome.ts';
import { shortId } from '../../util/uuid.ts';
import type { Environment } from '../context.ts';
import { openControllerOf } from '../open-controller.ts';

export type Kind = 'hosts' | 'fact' | 'group' | 'job' | 'outcome' | 'outcomes' | 'last-kinds' | 'topic';

export interface Typing {
  command: Command;
  typed: string;
  env: Environment;
}

/** How many of the latest jobs are offered. */
const MAX_JOBS = 100;

/** Throws if a file is broken. */
export async function candidatesFor(kind: Kind, { command, typed, env }: Typing): Promise<string[]> {
  const controller = openControllerOf(command, { env });
  switch (kind) {
    case 'outcome':
      return fitting(OUTCOME_NAMES, typed);
    case 'outcomes':
      return inList(OUTCOME_NAMES, typed);
    case 'last-kinds':
      return inList(LAST_KINDS, typed);
    case 'topic': {
      const { TOPICS } = await import('../help/topics.ts');
      return fitting(
        TOPICS.map(({ name }) => name),
        typed,
      );
    }
    case 'job': {
      const jobs = await controller.jobs({ count: MAX_JOBS });
      return fitting(['last', ...jobs.reverse().map(({ id }) => shortId(id))], typed);
    }
    case 'fact':
      return factsIn(await controller.inventory(), typed);
    case 'group':
    case 'hosts': {
      const inventory = await controller.inventory();
      if (kind === 'group') return fitting(groupsOf(inventory), typed).filter(isTypable);
      const names = [...inventory.hosts.keys(), ...inventory.aliases.keys()];
      return inExpression([...names, ...groupsOf(inventory).map((one) => `@${one}`)], typed);
    }
  }
}

const groupsOf = ({ groups }: Inventory) => [...new Set([ALL, ...groups.keys()])];

const fitting = (values: readonly string[], typed: string) =>
  values.filter((value) => value.startsWith(typed));

/** Hosts whose facts are looked at: most hosts have the same ones. */
const MAX_HOSTS = 100;

/** The paths of facts in the inventory, level by level: `os.`, then `os.family`. */
function factsIn({ hosts }: Inventory, typed: string): string[] {
  const above = typed.slice(0, typed.lastIndexOf('.') + 1);
  const steps = above.split('.').slice(0, -1);
  const found = new Set<string>();
  for (const { facts } of [...hosts.values()].slice(0, MAX_HOSTS)) {
    const within = valueAt(facts, steps);
    if (typeof within !== 'object' || within === null || Array.isArray(within)) continue;
    for (const [key, value] of Object.entries(within))
      found.add(`${above}${key}${typeof value === 'object' && !Array.isArray(value) ? '.' : ''}`);
  }
  return fitting([...found], typed).filter(isTypable);
}

/** `failed,lo`: completes the last item of a list, without those listed already. */
function inList(values: readonly string[], typed: string): string[] {
  const at = typed.lastIndexOf(',') + 1;
  const before = typed.slice(0, at);
  const there = before.split(',');
  return fitting(values, typed.slice(at))
    .filter((value) => !there.includes(value))
    .map((value) => before + value);
}

/** Names that mean something else to a shell, to a terminal or to kick itself (`-x`) are not offered. */
const isTypable = (name: string) => /^@?[\w.:+][\w.:+@-]*$/.test(name);

/** `@dmz!we`: completes the last name of an expression. */
function inExpression(names: readonly string[], typed: string): string[] {
  let at = 0;
  let depth = 0;
  for (let index = 0; index < typed.length; index++) {
    const char = typed[index] ?? '';
    if (char === '[') depth += 1;
    else if (char === ']') depth -= 1;
    else if (depth === 0 && /[,!&^\s]/.test(char)) at = index + 1;
  }
  if (depth !== 0) return [];
  const [before, last] = [typed.slice(0, at), typed.slice(at)];
  return fitting(names, last)
    .filter(isTypable)
    .map((name) => before + name);
}
