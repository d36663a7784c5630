/** `kick user add|remove|list`: who may sign in to `kick serve`. */
import { join } from 'node:path';
import * as v from 'valibot';
import { KickError, messageOf } from '../../errors.ts';
import { boundedText } from '../../util/bounded-text.ts';
import { systemClock } from '../../util/clock.ts';
import { formatProblems, problemsOf } from '../../util/schema.ts';
import { LimitsSchema } from '../../web/api/access.ts';
import { ROLES, type Role } from '../../web/api/route.ts';
import { type Accounts, openAccounts } from '../../web/server/access/accounts.ts';
import { type Command, Option } from '../commander.ts';
import type { CommandContext } from '../context.ts';
import { enterState } from '../open-controller.ts';
import { addFolderOptions, foldersOf } from '../options/folders.ts';
import { list, whole } from '../options/option-values.ts';
import { askSecret, canAsk } from '../terminal.ts';

const EXAMPLES = `
Examples:
  kick user add alice --role admin              asks for the password
  kick user add deploy --role operator --hosts @staging
  kick user list
  kick user remove alice
`;

const ADD_EXAMPLES = `
Examples:
  kick user add alice --role operator           asks for the password
  kick user add deploy --role operator --hosts @staging --noop-only <password
`;

interface AddOptions {
  role: Role;
  /** Of the folder options, which are read elsewhere. */
  stateDir?: string;
  hosts?: string;
  environments?: string[];
  noopOnly?: true;
  maxHosts?: number;
}

export function addUserCommand(program: Command, context: CommandContext): void {
  const users = program
    .command('user')
    .description('who may sign in to kick serve')
    .addHelpText('after', EXAMPLES);
  const accounts = async (command: Command): Promise<Accounts> => {
    const { stateDir } = foldersOf(command, context.env);
    await enterState(stateDir, async () => {});
    return openAccounts(join(stateDir, 'web'), systemClock);
  };

  const add = users
    .command('add')
    .argument('<name>')
    .description('add an account, or change one; the password is asked for, or read from stdin')
    .addOption(new Option('--role <role>', 'what they may do').choices(ROLES).default('viewer'))
    .option('--hosts <expression>', 'only these hosts: @dmz, web*')
    .option('--environments <names>', 'only these environments', list)
    .option('--noop-only', 'only runs with noop')
    .option('--max-hosts <n>', 'maximum number of hosts in a job', whole(1, 1_000_000))
    .addHelpText('after', ADD_EXAMPLES);
  add.action(async (name: string, { role, stateDir: _folder, ...given }: AddOptions) => {
    const limits = limitsOf(given);
    const password = await readPassword(name);
    const done = await (await accounts(add)).put({ name, role, limits, password });
    context.terminal.out(`${name} is ${role}: ${done}\n`);
  });

  const remove = users
    .command('remove')
    .argument('<name>')
    .description('remove an account; its sessions and tokens end');
  remove.action(async (name: string) => {
    await (await accounts(remove)).remove(name);
    context.terminal.out(`${name}: removed\n`);
  });

  const show = users.command('list').description('the accounts, and what they may do');
  show.action(async () => {
    const all = await (await accounts(show)).list();
    if (all.length === 0) context.terminal.err('No accounts yet: kick user add NAME --role operator\n');
    for (const { name, role, limits } of all) {
      const narrowed = Object.entries(limits).map(([key, value]) => `${key} ${String(value)}`);
      context.terminal.out(`${[name, role, ...narrowed].join('  ')}\n`);
    }
  });
  for (const command of [add, remove, show]) addFolderOptions(command, ['stateDir']);
}

/** Throws `KickError` `usage`. */
function limitsOf(given: Omit<AddOptions, 'role' | 'stateDir'>): v.InferOutput<typeof LimitsSchema> {
  const parsed = v.safeParse(
    LimitsSchema,
    Object.fromEntries(Object.entries(given).filter(([, one]) => one !== undefined)),
  );
  if (parsed.success) return parsed.output;
  throw new KickError('usage', `read the limits: ${formatProblems(problemsOf(parsed.issues))}`);
}

async function readPassword(name: string): Promise<string> {
  if (!canAsk()) return passwordOnStdin();
  const first = await askSecret(`Password of ${name}: `);
  if (first !== (await askSecret('Once more: ')))
    throw new KickError('usage', `add "${name}": the two passwords differ`);
  return first;
}

async function passwordOnStdin(): Promise<string> {
  try {
    return (await boundedText(process.stdin, 4096)).replace(/\r?\n$/, '');
  } catch (error) {
    throw new KickError('usage', `read the password from stdin: ${messageOf(error)}`, { cause: error });
  }
}
