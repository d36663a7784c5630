/** `kick agent` for commander, which has its help and its usage errors; agent/agent-command.ts runs plain command lines. */
import type { Command } from 'commander';
import { KickError } from '../../errors.ts';
import { AGENT_OPTIONS, agentOptionsFrom, type GivenAgent, runAgent } from '../agent/agent-command.ts';
import type { CommandContext } from '../context.ts';
import { addFolderOptions } from '../options/folders.ts';
import { addEnroll, addRenew } from './agent-enroll.ts';

export function addAgentCommand(program: Command, context: CommandContext): void {
  const { env } = context;
  const command = program
    .command('agent')
    .description('accept signed requests and run Puppet; runs on every node')
    .addHelpText(
      'after',
      '\nA socket of systemd (kick-agent.socket) counts instead of --port and --bind.\n' +
        '\nExamples:\n  kick agent\n  kick agent --port 8140 --state-dir /tmp/a --run-dir /tmp/b\n' +
        '  kick agent --check                    would it start with this agent.yaml?\n' +
        '  kick agent enroll --server deploy.example.com    where there is no Puppet CA\n',
    );
  for (const [flags, what] of Object.values(AGENT_OPTIONS)) command.option(flags, what);
  command.option('--check', 'only read agent.yaml: exit code 2 if an agent would not start with it');
  addFolderOptions(command);
  addEnroll(command, context);
  addRenew(command, context);
  command.allowExcessArguments();
  command.action(async () => {
    const [word] = command.args;
    if (word !== undefined) await refuseWord(word, command);
    const given = command.optsWithGlobals<GivenAgent & { check?: true }>();
    const options = agentOptionsFrom(given, env);
    if (given.check === true) {
      const { checkAgentConfig } = await import('../agent/check-agent.ts');
      return checkAgentConfig(options);
    }
    await runAgent(options);
  });
}

/** A misspelt command below it. */
async function refuseWord(word: string, { commands }: Command): Promise<never> {
  const { nearestWord } = await import('../../util/edits.ts');
  const names = commands.map((one) => one.name());
  const meant = nearestWord(word, names);
  throw new KickError(
    'usage',
    `"${word}" is not a command of kick agent${meant === undefined ? '' : `: did you mean ${meant}`}`,
    { hint: `kick agent takes no arguments; its commands are ${names.join(', ')}` },
  );
}
