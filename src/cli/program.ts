/** The command line: commands, and what they share. */
import { Command, CommanderError } from 'commander';
import { EXIT } from '../protocol/outcome.ts';
import { AGENT_OPTIONS, agentOptionsFrom, type GivenAgent } from './agent/agent-command.ts';
import { commandFirst } from './command-first.ts';
import type { CommandContext, Environment } from './context.ts';
import { addHelpCommand } from './help/help-command.ts';
import { addFolderOptions } from './options/folders.ts';
import { reportError } from './report-error.ts';
import { openTerminal } from './terminal.ts';
import { version } from './version.ts';

const EXAMPLES = `
Examples:
  kick web1.example.com web2.example.com     run Puppet there now, and say how it ended
  kick --host web1 --noop                    what would change?
  kick 'web[01-40]!web07' --class apache     only some of them: kick nodes --help
  kick --all --batch 10% --max-failures 2    roll out, stop when it goes wrong
  kick --all --quiet --lock nightly          from cron: prints only what went wrong
  kick jobs show last                        what became of it; kick rerun last
  kick status --all                          what they do now; kick summary, kick count
  kick disable web1 --reason 'new disk' --for 2h
  kick doctor --all                          what will go wrong, and what to do about it
  kick ping web1                             does the agent answer?
  kick agent                                 the listener, on every node
  source <(kick completion bash)             TAB completes hosts, groups, jobs, options
  kick demo                                  see it work on this machine alone

Exit codes: 0 all did as asked, 1 a run failed, 3 a host was not reached or refused,
4 a host did not run (busy, disabled, cancelled), 2 usage or configuration (nothing was
sent), 75 another kick holds the lock.
`;

/** Runs one command line to its end. Never throws; the exit status is set. */
export async function main(argv: readonly string[], env: Environment): Promise<void> {
  const noColor = argv.includes('--no-color') || (env['NO_COLOR'] ?? '') !== '';
  const terminal = openTerminal({ noColor });
  const exit = (code: number) => {
    process.exitCode = code;
  };
  try {
    if (argv[0] === '__complete') {
      const { completeMain } = await import('./completion/complete.ts');
      const program = await makeProgram({ terminal, env, exit });
      return await completeMain(program, argv.slice(1), { terminal, env });
    }
    // It belongs to no command: it may stand anywhere.
    const plain = withDashes(argv).filter((word) => word !== '--no-color');
    const words = await commandFirst(plain, (name) => commandOf(name, { terminal, env, exit }));
    const program = await makeProgram({ terminal, env, exit }, words);
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) exit(error.exitCode === 0 ? 0 : EXIT.usage);
    else exit(reportError(error, terminal, env));
  }
}

async function commandOf(name: string, context: CommandContext): Promise<Command | undefined> {
  const { isControllerCommand } = await import('./controller-commands.ts');
  if (!isControllerCommand(name) && name !== 'agent' && name !== 'demo') return undefined;
  return (await makeProgram(context, [name])).commands.find((one) => one.name() === name);
}

/** The commands that the command line `words` needs; without it all. */
export async function makeProgram(context: CommandContext, words?: readonly string[]): Promise<Command> {
  const { terminal } = context;
  const program = new Command('kick')
    .description('Make Puppet run now on the hosts you name, and tell the truth about what happened.')
    .version(version(), '-V, --version', 'print the version')
    .option('--no-color', 'no colours (as with NO_COLOR)')
    .showHelpAfterError('(kick --help shows what can be said)')
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .enablePositionalOptions()
    .addHelpText('after', EXAMPLES);
  if (words?.[0] !== 'agent') {
    const { addControllerCommands } = await import('./controller-commands.ts');
    await addControllerCommands(program, context, words);
  }
  addAgentCommand(program, context);
  addDemoCommand(program, context);
  addHelpCommand(program, context);
  return program;
}

function addAgentCommand(program: Command, { env }: CommandContext): void {
  const command = program
    .command('agent')
    .description('the listener that every node runs: accepts signed requests and runs Puppet')
    .addHelpText(
      'after',
      '\nExamples:\n  kick agent\n  kick agent --port 8140 --state-dir /tmp/a --run-dir /tmp/b\n',
    );
  for (const [flags, what] of Object.values(AGENT_OPTIONS)) command.option(flags, what);
  addFolderOptions(command);
  command.action(async () => {
    const { agentMain } = await import('./agent/agent.ts');
    await agentMain(agentOptionsFrom(command.optsWithGlobals<GivenAgent>(), env));
  });
}

function addDemoCommand(program: Command, { terminal, env, exit }: CommandContext): void {
  const command = program
    .command('demo')
    .description('see kick work: a throwaway CA and three agents on this machine alone')
    .option('--sample', 'run a sample command even where Puppet is installed')
    .addHelpText('after', '\nExamples:\n  kick demo\n  kick demo --sample\n');
  command.action(async ({ sample = false }: { sample?: boolean }) => {
    const { demoMain } = await import('./demo/demo.ts');
    exit(await demoMain({ terminal, path: env['PATH'] ?? '', sample }));
  });
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
