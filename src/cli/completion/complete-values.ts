/** What hosts, groups, jobs and outcomes there are, for whoever types. */
import type { Command } from 'commander';
import { readControllerConfig } from '../../config/controller-files.ts';
import { openJobStore } from '../../controller/jobs/job-store.ts';
import { LAST_KINDS } from '../../controller/targeting/host-sources.ts';
import { ALL, type Inventory } from '../../controller/targeting/inventory.ts';
import { readInventory } from '../../controller/targeting/inventory-files.ts';
import { OUTCOME_NAMES } from '../../protocol/outcome.ts';
import { systemClock } from '../../util/clock.ts';
import { shortId } from '../../util/uuid.ts';
import type { Environment } from '../context.ts';
import { foldersOf } from '../options/folders.ts';

export type Kind = 'hosts' | 'group' | 'job' | 'outcome' | 'outcomes' | 'last-kinds' | 'topic';

export interface Typing {
  command: Command;
  typed: string;
  env: Environment;
}

/** Jobs that are offered, the latest. */
const MAX_JOBS = 100;

/** Throws where a file is broken. */
export async function candidatesFor(kind: Kind, { command, typed, env }: Typing): Promise<string[]> {
  const folders = foldersOf(command, env);
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
      const jobs = await openJobStore(folders.stateDir, systemClock).index.list();
      const latest = jobs.slice(-MAX_JOBS).reverse();
      return fitting(['last', ...latest.map(({ id }) => shortId(id))], typed);
    }
    case 'group':
    case 'hosts': {
      const inventory = await readInventory(folders.configDir, await readControllerConfig(folders.configDir));
      if (kind === 'group') return fitting(groupsOf(inventory), typed);
      const names = [...inventory.hosts.keys(), ...inventory.aliases.keys()];
      return inExpression([...names, ...groupsOf(inventory).map((one) => `@${one}`)], typed);
    }
  }
}

const groupsOf = ({ groups }: Inventory) => [...new Set([ALL, ...groups.keys()])];

const fitting = (values: readonly string[], typed: string) =>
  values.filter((value) => value.startsWith(typed));

/** `failed,lo`: the last of several, without those that are there already. */
function inList(values: readonly string[], typed: string): string[] {
  const at = typed.lastIndexOf(',') + 1;
  const before = typed.slice(0, at);
  const there = before.split(',');
  return fitting(values, typed.slice(at))
    .filter((value) => !there.includes(value))
    .map((value) => before + value);
}

/** `@dmz!we`: the last name of an expression. What no shell must see unquoted is not offered. */
function inExpression(names: readonly string[], typed: string): string[] {
  let at = 0;
  let depth = 0;
  for (const [index, char] of [...typed].entries()) {
    if (char === '[') depth += 1;
    else if (char === ']') depth -= 1;
    else if (depth === 0 && /[,!&^\s]/.test(char)) at = index + 1;
  }
  if (depth !== 0) return [];
  const [before, last] = [typed.slice(0, at), typed.slice(at)];
  return fitting(names, last)
    .filter((name) => /^[@\w.:+-]+$/.test(name))
    .map((name) => before + name);
}
