/** The command line: commands, and what they share. */

import { EXIT } from '../protocol/outcome.ts';
import { addCommands, isCommand } from './command-table.ts';
import { Command, CommanderError, Help, Option } from './commander.ts';
import type { CommandContext, Environment } from './context.ts';
import { ownSenders } from './open-sender.ts';
import { HELP } from './options/groups.ts';
import { reportError } from './report-error.ts';
import { openTerminal } from './terminal.ts';
import { version } from './version.ts';

const EXAMPLES = `
Examples:
  kick web1.example.com web2.example.com   run Puppet there, report how it ended
  kick --host web1 --noop                  what would change?
  kick 'web[01-40]!web07' --class apache   only some of them: kick help hosts
  kick --all --batch 10% --max-failures 2  roll out, stop when it goes wrong
  kick --all --quiet --lock nightly        from cron: prints only problems
  kick jobs show last                      how it ended; kick rerun last
  kick status --all                        what hosts are doing right now
  kick disable web1 --reason 'new disk' --for 2h
  kick doctor --all                        what will go wrong, and what to do
  source <(kick completion bash)           TAB completes hosts, jobs, options
  kick demo                                see it work on this machine alone

kick COMMAND --help explains a command; its options may stand before it, too.

Exit codes: 0 all did as asked, 1 a run failed, 3 a host was not reached or
refused, 4 a host did not run (busy, disabled, cancelled), 2 usage or
configuration (nothing was sent), 75 another kick, or agent, holds the lock.
`;

/** Runs one command line of this process to its end. Never throws; the exit status is set. */
export async function main(argv: readonly string[], env: Environment): Promise<void> {
  const noColor = argv.includes('--no-color') || (env['NO_COLOR'] ?? '') !== '';
  const terminal = openTerminal({ noColor, term: env['TERM'] });
  const exit = (code: number) => {
    process.exitCode = code;
  };
  // Node's own exit code for it is 1, which means that a run has failed.
  process.on('uncaughtException', (error) => process.exit(reportError(error, terminal, env)));
  await runCommandLine(argv, { terminal, env, exit });
}

/** Runs one command line to its end. Never throws; `exit` is called with the exit status unless that is 0. */
export async function runCommandLine(
  argv: readonly string[],
  { terminal, env, exit }: CommandContext,
): Promise<void> {
  try {
    if (argv[0] === '__complete') {
      const { completeMain } = await import('./completion/complete.ts');
      const program = await makeProgram({ terminal, env, exit });
      return await completeMain(program, argv.slice(1), { terminal, env });
    }
    // It belongs to no command, so it may be anywhere.
    const plain = withDashes(argv).filter((word) => word !== '--no-color');
    const words = plain[0]?.startsWith('-') === true ? await sorted(plain, { terminal, env, exit }) : plain;
    const program = await makeProgram({ terminal, env, exit }, words);
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) exit(error.exitCode === 0 ? 0 : EXIT.usage);
    else exit(reportError(error, terminal, env));
  } finally {
    await ownSenders.close();
  }
}

/** The words of a command line that begins with options. */
async function sorted(words: readonly string[], context: CommandContext): Promise<readonly string[]> {
  const { commandFirst } = await import('./command-first.ts');
  return commandFirst(words, async (name) => {
    if (!isCommand(name)) return undefined;
    return (await makeProgram(context, [name])).commands.find((one) => one.name() === name);
  });
}

/** Makes the program with the commands that the command line `words` needs: all of them without `words`. */
export async function makeProgram(context: CommandContext, words?: readonly string[]): Promise<Command> {
  const { terminal } = context;
  const program = new Command('kick')
    .description('Make Puppet run now on the hosts you name, and tell the truth about what happened.')
    .version(version(), '-V, --version', 'print the version; with --verbose also commit, Node and origin')
    .addHelpOption(new Option('-h, --help', HELP))
    .usage('[command] [options] [hosts...]')
    // A list of commands, not of their options.
    .configureHelp({
      subcommandTerm: (command) => command.name(),
      optionDescription(option) {
        const described = Help.prototype.optionDescription.call(this, option);
        return option.mandatory ? `${described} (required)` : described;
      },
    })
    .option('--no-color', 'no colours (as with NO_COLOR)')
    .exitOverride()
    .configureOutput({
      writeOut: terminal.out,
      writeErr: terminal.err,
      outputError: (message, write) => write(usageError(message)),
    })
    .enablePositionalOptions()
    // `kick help` is a command of ours.
    .helpCommand(false)
    .addHelpText('after', EXAMPLES);
  await addCommands(program, context, words);
  pointToHelp(program, 'kick');
  return program;
}

/** Commander's message of a usage error in our form: `error: unknown option '--nop'\n(Did you mean --noop?)`. */
function usageError(message: string): string {
  return message.replace(/^error: /, 'kick: ').replace(/\n\(Did you mean (.+)\?\)/, ': did you mean $1?');
}

/** The hint of a usage error names the help of the command that was used. */
function pointToHelp(command: Command, path: string): void {
  command.showHelpAfterError(`hint: ${path} --help`);
  for (const one of command.commands) pointToHelp(one, `${path} ${one.name()}`);
}

/** Puppet's own spelling of long options: --skip_tags is --skip-tags. */
function withDashes(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  return argv.map((word, index) => {
    if (!word.startsWith('--') || (end >= 0 && index >= end)) return word;
    const [name = '', ...value] = word.split('=');
    return [name.replaceAll('_', '-'), ...value].join('=');
  });
}
