/** `kick agent` for commander, which has its help and its usage errors; agent/agent-command.ts runs plain command lines. */
import type { Command } from 'commander';
import { AGENT_OPTIONS, agentOptionsFrom, type GivenAgent } from '../agent/agent-command.ts';
import type { CommandContext } from '../context.ts';
import { addFolderOptions } from '../options/folders.ts';

export function addAgentCommand(program: Command, { env }: CommandContext): void {
  const command = program
    .command('agent')
    .description('accept signed requests and run Puppet; runs on every node')
    .addHelpText(
      'after',
      '\nExamples:\n  kick agent\n  kick agent --port 8140 --state-dir /tmp/a --run-dir /tmp/b\n',
    );
  for (const [flags, what] of Object.values(AGENT_OPTIONS)) command.option(flags, what);
  addFolderOptions(command);
  command.action(async () => {
    const { agentMain } = await import('../agent/agent.ts');
    await agentMain(agentOptionsFrom(command.optsWithGlobals<GivenAgent>(), env));
  });
}
