/** `kick ping`: do agents answer, how fast, and with which versions? */
import type { Command } from 'commander';
import { holderOf } from '../../controller/fleet/holder.ts';
import type { AgentAnswer } from '../../controller/targeting/host-sources.ts';
import { KickError } from '../../errors.ts';
import { exitCodeOf } from '../../protocol/outcome.ts';
import { safeText } from '../../util/text.ts';
import type { CommandContext } from '../context.ts';
import { addFolderOptions } from '../options/folders.ts';
import { addHostOptions, type HostOptions } from '../options/host-options.ts';
import { choiceOption } from '../options/option-choices.ts';
import { addConnectionOptions } from '../options/run-options.ts';
import { print } from '../print.ts';
import { documentText, nameWidth } from './fleet.ts';
import { prepareHosts } from './hosts.ts';

const EXAMPLES = `
Examples:
  kick ping web1 web2
  kick ping --nodes-file nodes.txt --format json
`;

interface PingOptions extends HostOptions {
  format: string;
  connectTimeout: number;
}

export function addPingCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('ping')
    .description('check that agents answer: latency and versions')
    .addOption(choiceOption('--format <format>', 'human or json', ['human', 'json']).default('human'))
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
  const { format } = options;
  if (format !== 'human' && format !== 'json') {
    throw new KickError('usage', `--format: "${format}" is not known`, { hint: 'human or json' });
  }
  const hosts = await prepareHosts(words, options, command, context);
  const { warnings } = await hosts.controller.identity();
  for (const warning of warnings) context.terminal.err(`warning: ${warning}\n`);
  const width = nameWidth(hosts);
  const answers = await hosts.controller.status(hosts, {
    connectTimeoutMs: options.connectTimeout,
    onAnswer: (answer) => {
      if (format === 'human') print(context.terminal, `${lineOf(answer, width)}\n`);
    },
  });
  if (format === 'json') {
    const document = answers.map(({ target, ...rest }) => ({ certname: target.certname, ...rest }));
    context.terminal.out(documentText(document, { format }));
  }
  return exitCodeOf(answers.map(({ status }) => (status === undefined ? 'unreachable' : 'unchanged')));
}

function lineOf({ target, latencyMs, status, error }: AgentAnswer, width: number): string {
  const name = target.certname.padEnd(width);
  if (status === undefined) return safeText(`${name}  unreachable  ${error ?? ''}`);
  const { version, puppetVersion, runner, running, disabled, waiting } = status;
  const puppet = puppetVersion === undefined ? runner : `Puppet ${puppetVersion}`;
  const more = [
    ...(disabled === undefined ? [] : [`disabled: ${disabled.reason}`]),
    ...(running === undefined ? [] : [`running: ${holderOf(running)}`]),
    ...(waiting > 0 ? [`${waiting} waiting`] : []),
  ];
  return safeText([name, `${latencyMs}ms`.padStart(7), `kick ${version}`, puppet, ...more].join('  '));
}
