/** `kick help`: a command, as its own --help explains it, or a topic. */
import type { Command } from 'commander';
import { KickError } from '../../errors.ts';
import { nearestWord } from '../../util/edits.ts';
import type { CommandContext } from '../context.ts';

export function addHelpCommand(program: Command, { terminal }: Pick<CommandContext, 'terminal'>): void {
  program
    .command('help')
    .argument('[topic]', 'a command, or outcomes, hosts, rollout, exit-codes, cron, agent.yaml, …')
    .argument('[subcommand]', 'a command of that command: jobs show')
    .description('explain a command, outcomes, hosts, rollout, exit-codes or cron')
    .action(async (...given: readonly unknown[]) => {
      const words = given.filter((word) => typeof word === 'string');
      const command = commandAt(program, words);
      if (command !== undefined) return command.outputHelp();
      const { TOPICS } = await import('./topics.ts');
      const { topicText } = await import('./topic-text.ts');
      const [name, ...more] = words;
      const topic = TOPICS.find((one) => one.name === name);
      if (topic === undefined || more.length > 0) {
        const names = [...program.commands.map((one) => one.name()), ...TOPICS.map((one) => one.name)];
        const near = more.length > 0 ? undefined : nearestWord(name ?? '', names);
        const guess = near === undefined ? '' : `; did you mean "${near}"`;
        throw new KickError('usage', `help: there is no command or topic "${words.join(' ')}"${guess}`, {
          hint: `kick --help lists the commands; topics are ${TOPICS.map((one) => one.name).join(', ')}`,
        });
      }
      terminal.out(topicText(topic, terminal.columns()));
    });
}

/** The command that the words name: `jobs show`. */
function commandAt(command: Command, [first, ...rest]: readonly string[]): Command | undefined {
  if (first === undefined) return command;
  const child = command.commands.find((one) => one.name() === first);
  return child === undefined ? undefined : commandAt(child, rest);
}
