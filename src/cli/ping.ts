/** `kick ping`: does the agent answer, how fast, and which versions are there? */
import type { Command } from 'commander';
import { createPlaces } from '../controller/places.ts';
import { KickError } from '../errors.ts';
import type { AgentStatus } from '../protocol/event.ts';
import { exitCodeOf } from '../protocol/outcome.ts';
import { holderOf } from '../report/words.ts';
import { SendError, type Sender, type Target } from '../transport/transport.ts';
import { systemClock } from '../util/clock.ts';
import { safeText } from '../util/text.ts';
import { addFolderOptions } from './folders.ts';
import { addHostOptions, type HostOptions, prepareHosts } from './hosts.ts';
import type { CommandContext } from './program.ts';
import { addConnectionOptions } from './run-options.ts';

const EXAMPLES = `
Examples:
  kick ping web1 web2
  kick ping --nodes-file nodes.txt --format json
`;

/** Connections at once. */
const AT_ONCE = 100;

interface PingOptions extends HostOptions {
  format: string;
  connectTimeout: number;
}

interface Pong {
  certname: string;
  /** Milliseconds from connecting to the answer. */
  latencyMs?: number;
  status?: AgentStatus;
  error?: string;
}

export function addPingCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('ping')
    .description('ask agents whether they are there: latency and versions, one line a host')
    .option('--format <format>', 'human or json', 'human')
    .addHelpText('after', EXAMPLES);
  addHostOptions(command);
  addConnectionOptions(command);
  addFolderOptions(command);
  command.action(async (words: string[], options: PingOptions) => {
    context.exit(await ping(words, options, command, context));
  });
}

async function ping(
  words: readonly string[],
  options: PingOptions,
  command: Command,
  context: CommandContext,
): Promise<number> {
  const { format, connectTimeout } = options;
  if (format !== 'human' && format !== 'json') {
    throw new KickError('usage', `--format: "${format}" is not known`, { hint: 'human or json' });
  }
  const { targets, identity } = await prepareHosts(words, options, command, context);
  for (const warning of identity.warnings) context.terminal.err(`warning: ${warning}\n`);
  const { httpsSender } = await import('../transport/https/client.ts');
  const sender = httpsSender({ identity, connectTimeoutMs: connectTimeout });
  const places = createPlaces(AT_ONCE);
  const width = Math.max(...targets.map(({ certname }) => certname.length));
  const { signal } = new AbortController();
  const pongs = await Promise.all(
    targets.map(async (target) => {
      await places.take(signal);
      const pong = await pingOne(target, sender, signal);
      places.giveBack();
      if (format === 'human') context.terminal.out(`${lineOf(pong, width)}\n`);
      return pong;
    }),
  );
  sender.close();
  if (format === 'json') context.terminal.out(`${JSON.stringify(pongs, null, 2)}\n`);
  return exitCodeOf(pongs.map(({ status }) => (status === undefined ? 'unreachable' : 'unchanged')));
}

async function pingOne(target: Target, sender: Sender, signal: AbortSignal): Promise<Pong> {
  const { certname } = target;
  const from = systemClock.monotonic();
  try {
    const status = await sender.status(target, signal);
    return { certname, latencyMs: Math.round(systemClock.monotonic() - from), status };
  } catch (error) {
    if (!(error instanceof SendError)) throw error;
    return {
      certname,
      error: error.refusal === undefined ? error.message : `refused: ${error.refusal.code}`,
    };
  }
}

function lineOf({ certname, latencyMs, status, error }: Pong, width: number): string {
  const name = certname.padEnd(width);
  if (status === undefined) return safeText(`${name}  unreachable  ${error ?? ''}`);
  const { version, puppetVersion, runner, running, disabled, waiting } = status;
  const puppet = puppetVersion === undefined ? runner : `Puppet ${puppetVersion}`;
  const more = [
    ...(disabled === undefined ? [] : [`disabled: ${disabled}`]),
    ...(running === undefined ? [] : [`running: ${holderOf(running)}`]),
    ...(waiting > 0 ? [`${waiting} waiting`] : []),
  ];
  return safeText([name, `${latencyMs}ms`.padStart(7), `kick ${version}`, puppet, ...more].join('  '));
}
