/**
 * The commands of whoever kicks, each with the module that brings it. An agent, which stays in
 * memory, never loads them; a command line loads the one that it names, for cron and scripts wait
 * for the start of each.
 */
import type { Command } from 'commander';
import type { CommandContext } from './context.ts';

type Add = (program: Command, context: CommandContext) => void;

/** In the order in which help shows them. */
const MODULES: readonly { brings: readonly string[]; load: () => Promise<Add> }[] = [
  { brings: ['run'], load: async () => (await import('./commands/run.ts')).addRunCommand },
  { brings: ['nodes'], load: async () => (await import('./commands/nodes.ts')).addNodesCommand },
  { brings: ['jobs'], load: async () => (await import('./commands/jobs.ts')).addJobsCommand },
  { brings: ['rerun'], load: async () => (await import('./commands/rerun.ts')).addRerunCommand },
  {
    brings: ['status', 'count', 'summary'],
    load: async () => (await import('./commands/status.ts')).addStatusCommands,
  },
  {
    brings: ['disable', 'enable', 'cancel'],
    load: async () => (await import('./commands/switch.ts')).addSwitchCommands,
  },
  { brings: ['doctor'], load: async () => (await import('./commands/doctor.ts')).addDoctorCommand },
  { brings: ['ping'], load: async () => (await import('./commands/ping.ts')).addPingCommand },
  { brings: ['pki'], load: async () => (await import('./commands/pki.ts')).addPkiCommand },
  {
    brings: ['completion'],
    load: async () => (await import('./commands/completion.ts')).addCompletionCommand,
  },
];

/** Whether it is a command of whoever kicks. */
export function isControllerCommand(name: string): boolean {
  return MODULES.some(({ brings }) => brings.includes(name));
}

/** Adds what the command line `words` needs; without it, and where help is asked for, all. */
export async function addControllerCommands(
  program: Command,
  context: CommandContext,
  words?: readonly string[],
): Promise<void> {
  for (const { load } of needed(words)) (await load())(program, context);
}

function needed(words: readonly string[] = []): typeof MODULES {
  const [first] = words;
  const named = MODULES.filter(({ brings }) => first !== undefined && brings.includes(first));
  if (named.length > 0) return named;
  const isHelp = first === undefined || first === 'help' || words.some((word) => /^(--help|-h)$/.test(word));
  // A first word that is no command is a host of the command that needs no name.
  return isHelp ? MODULES : MODULES.filter(({ brings }) => brings.includes('run'));
}
