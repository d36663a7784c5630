/** The command line: commands, what they share, and how an error becomes a message and an exit code. */
import { Command, CommanderError } from 'commander';
import { KickError, messageOf } from '../errors.ts';
import { EXIT } from '../protocol/outcome.ts';
import { safeText } from '../util/text.ts';
import { addFolderOptions, type Folders, foldersOf } from './folders.ts';
import { openTerminal, type Terminal } from './terminal.ts';
import { version } from './version.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What every command is given. */
export interface CommandContext {
  terminal: Terminal;
  env: Environment;
  /** Sets the exit status; the process ends when its work is done. */
  exit(code: number): void;
}

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
      const { completeMain } = await import('./complete.ts');
      const program = await makeProgram({ terminal, env, exit });
      return await completeMain(program, argv.slice(1), { terminal, env });
    }
    // It belongs to no command: it may stand anywhere.
    const words = withDashes(argv).filter((word) => word !== '--no-color');
    const program = await makeProgram({ terminal, env, exit }, words);
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    exit(report(error, terminal, env));
  }
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
  return program;
}

function addAgentCommand(program: Command, { env }: CommandContext): void {
  const command = program
    .command('agent')
    .description('the listener that every node runs: accepts signed requests and runs Puppet')
    .option('--port <n>', 'port to listen on, 0 for any (default: 8139)', portOf)
    .option('--bind <address>', 'address to listen on (default: all)')
    .option('--runner <name>', 'puppet-agent, puppet-apply or command (default: puppet-agent)')
    .addHelpText(
      'after',
      '\nExamples:\n  kick agent\n  kick agent --port 8140 --state-dir /tmp/a --run-dir /tmp/b\n',
    );
  addFolderOptions(command);
  command.action(async (options: { port?: number; bind?: string; runner?: string }) => {
    const folders: Folders = foldersOf(command, env);
    const { agentMain } = await import('./agent.ts');
    await agentMain({ ...folders, ...options, path: env['PATH'] ?? '' });
  });
}

function addDemoCommand(program: Command, { terminal, env, exit }: CommandContext): void {
  const command = program
    .command('demo')
    .description('see kick work: a throwaway CA and three agents on this machine alone')
    .option('--sample', 'run a sample command even where Puppet is installed')
    .addHelpText('after', '\nExamples:\n  kick demo\n  kick demo --sample\n');
  command.action(async ({ sample = false }: { sample?: boolean }) => {
    const { demoMain } = await import('./demo.ts');
    exit(await demoMain({ terminal, path: env['PATH'] ?? '', sample }));
  });
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new KickError('usage', `--port: "${text}" is not a port`);
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

/** Prints what went wrong; gives the exit code. */
function report(error: unknown, terminal: Terminal, env: Environment): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage;
  if (error instanceof KickError) {
    terminal.err(`kick: ${withoutControls(error.message)}\n`);
    if (error.hint !== undefined) terminal.err(`hint: ${withoutControls(error.hint)}\n`);
    return error.code === 'locked' ? EXIT.locked : EXIT.usage;
  }
  terminal.err(`kick: an error of kick itself: ${withoutControls(messageOf(error))}\n`);
  const stack = error instanceof Error ? error.stack : undefined;
  if ((env['KICK_DEBUG'] ?? '') !== '' && stack !== undefined) terminal.err(`${stack}\n`);
  else terminal.err('hint: KICK_DEBUG=1 shows where; please report it\n');
  return EXIT.internal;
}

const withoutControls = (text: string) => text.split('\n').map(safeText).join('\n');
