/**
 * The commands and the modules that define them. A command line loads only the one it names, since cron jobs and scripts
 * pay for the start-up of each.
 */
import type { Command } from 'commander';
import type { CommandContext } from './context.ts';
import { COMMAND_GROUPS } from './options/groups.ts';

type Add = (program: Command, context: CommandContext) => void;

/** In the order of the help, below these headings. */
const MODULES: readonly { group: string; brings: readonly string[]; load: () => Promise<Add> }[] = [
  {
    group: COMMAND_GROUPS.run,
    brings: ['run'],
    load: async () => (await import('./commands/run.ts')).addRunCommand,
  },
  {
    group: COMMAND_GROUPS.run,
    brings: ['rerun'],
    load: async () => (await import('./commands/rerun.ts')).addRerunCommand,
  },
  {
    group: COMMAND_GROUPS.run,
    brings: ['jobs'],
    load: async () => (await import('./commands/jobs.ts')).addJobsCommand,
  },
  {
    group: COMMAND_GROUPS.look,
    brings: ['nodes'],
    load: async () => (await import('./commands/nodes.ts')).addNodesCommand,
  },
  {
    group: COMMAND_GROUPS.look,
    brings: ['discover'],
    load: async () => (await import('./commands/discover.ts')).addDiscoverCommand,
  },
  {
    group: COMMAND_GROUPS.look,
    brings: ['facts'],
    load: async () => (await import('./commands/facts.ts')).addFactsCommand,
  },
  {
    group: COMMAND_GROUPS.look,
    brings: ['status', 'count', 'summary'],
    load: async () => (await import('./commands/status.ts')).addStatusCommands,
  },
  {
    group: COMMAND_GROUPS.look,
    brings: ['doctor'],
    load: async () => (await import('./commands/doctor.ts')).addDoctorCommand,
  },
  {
    group: COMMAND_GROUPS.look,
    brings: ['ping'],
    load: async () => (await import('./commands/ping.ts')).addPingCommand,
  },
  {
    group: COMMAND_GROUPS.hold,
    brings: ['disable', 'enable', 'cancel'],
    load: async () => (await import('./commands/switch.ts')).addSwitchCommands,
  },
  {
    group: COMMAND_GROUPS.setup,
    brings: ['serve'],
    load: async () => (await import('./commands/serve.ts')).addServeCommand,
  },
  {
    group: COMMAND_GROUPS.setup,
    brings: ['user'],
    load: async () => (await import('./commands/user.ts')).addUserCommand,
  },
  {
    group: COMMAND_GROUPS.setup,
    brings: ['pki'],
    load: async () => (await import('./commands/pki.ts')).addPkiCommand,
  },
  {
    group: COMMAND_GROUPS.setup,
    brings: ['nats'],
    load: async () => (await import('./commands/nats.ts')).addNatsCommand,
  },
  {
    group: COMMAND_GROUPS.setup,
    brings: ['completion'],
    load: async () => (await import('./commands/completion.ts')).addCompletionCommand,
  },
  {
    group: COMMAND_GROUPS.setup,
    brings: ['agent'],
    load: async () => (await import('./commands/agent.ts')).addAgentCommand,
  },
  {
    group: COMMAND_GROUPS.setup,
    brings: ['demo'],
    load: async () => (await import('./commands/demo.ts')).addDemoCommand,
  },
  {
    group: COMMAND_GROUPS.setup,
    brings: ['help'],
    load: async () => (await import('./help/help-command.ts')).addHelpCommand,
  },
];

export function isCommand(name: string): boolean {
  return MODULES.some(({ brings }) => brings.includes(name));
}

/** Adds the commands that the command line `words` needs: all of them without `words` or for help. */
export async function addCommands(
  program: Command,
  context: CommandContext,
  words?: readonly string[],
): Promise<void> {
  for (const { group, load } of needed(words)) {
    const add = await load();
    program.commandsGroup(group);
    add(program, context);
  }
}

function needed(words: readonly string[] = []): typeof MODULES {
  const [first] = words;
  // `kick help` explains any of them.
  if (first === undefined || first === 'help') return MODULES;
  const bringing = (name: string) => MODULES.filter(({ brings }) => brings.includes(name));
  const named = bringing(first);
  if (named.length > 0) return named;
  // If the first word is no command, it is a host and the command is `run`.
  return words.some((word) => /^(--help|-h)$/.test(word)) ? MODULES : bringing('run');
}
