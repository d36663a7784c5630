/** `kick nats`: what is about brokers, for hosts that are reached through one. */
import type { Command } from 'commander';
import { KickError } from '../../errors.ts';
import { Option } from '../commander.ts';
import type { CommandContext } from '../context.ts';
import type { PingOptions } from '../nats/ping.ts';
import type { ConfigOptions } from '../nats/write-config.ts';
import { addFolderOptions } from '../options/folders.ts';
import { helpIn, inGroup, OPTION_GROUPS } from '../options/groups.ts';
import { addHostOptions } from '../options/host-options.ts';
import { choiceOption } from '../options/option-choices.ts';
import { durationOf, list, whole } from '../options/option-values.ts';

const EXAMPLES = `
Examples:
  kick nats config --output /etc/nats-server.conf
  kick nats config --check                 what does the running server lack?
  kick nats ping                           who is there, and how far away?
`;

const PING_EXAMPLES = `
Examples:
  kick nats ping                           everybody at the broker
  kick nats ping 'web[01-20]' --timeout 5s
  kick nats ping --all --format json

Answers are those of agents, as the broker passes them on; kick ping asks them
over TLS. Exit codes: 0 all answered, 3 somebody was silent.
`;

const CONFIG_EXAMPLES = `
Examples:
  kick nats config --output /etc/nats-server.conf
  kick nats config --broker nats1.example.com --output nats1.conf
  kick nats config --broker nats1.example.com \\
    --cluster nats1.example.com,nats2.example.com
  nats-server -t -c nats1.conf             is it valid?
  kick nats config --check                 what does the running server lack?
  nats-server --signal reload              hosts that came may connect,
                                           those that went are disconnected
`;

export function addNatsCommand(program: Command, context: CommandContext): void {
  const nats = program
    .command('nats')
    .description('set up and check NATS brokers, for hosts without an open port')
    .helpCommand('help [command]', 'explain a command')
    .addHelpText('after', EXAMPLES);
  addConfig(nats, context);
  addPing(nats, context);
}

function addPing(nats: Command, context: CommandContext): void {
  const command = nats
    .command('ping')
    .description('ask hosts for a sign of life through the broker: times, and who is silent')
    .addHelpText('after', PING_EXAMPLES);
  addHostOptions(command);
  inGroup(command, OPTION_GROUPS.output, () =>
    command
      .addOption(choiceOption('--format <format>', 'human or json', ['human', 'json']).default('human'))
      .addOption(
        new Option(
          '--timeout <time>',
          'how long to wait for answers (default: 2s; everybody: while they come)',
        ).argParser(durationOf(1)),
      )
      .addOption(
        new Option('--concurrency <n>', 'hosts asked at once').argParser(whole(1, 10_000)).default(1000),
      ),
  );
  helpIn(command, OPTION_GROUPS.output);
  addFolderOptions(command);
  command.action(async (words: string[], options: PingOptions) => {
    checkFormat(options.format);
    const { natsPing } = await import('../nats/ping.ts');
    context.exit(await natsPing(words, options, command, context));
  });
}

function checkFormat(format: string): asserts format is 'human' | 'json' {
  if (format === 'human' || format === 'json') return;
  throw new KickError('usage', `--format: "${format}" is not known`, { hint: 'human or json' });
}

function addConfig(nats: Command, context: CommandContext): void {
  const command = nats
    .command('config')
    .description('write the configuration of nats-server: who may do what')
    .addHelpText('after', CONFIG_EXAMPLES);
  const several = (value: string, before: string[] = []) => [...before, value];
  command
    .option('--output <file>', 'write it there, atomically, instead of to stdout')
    .addOption(new Option('--controller <name>', 'a further host that kicks; repeatable').argParser(several))
    .option('--broker <certname>', 'the host of nats-server (default: this one)')
    .option('--listen <address>', 'where it listens (default: 0.0.0.0:4222)')
    .addOption(
      new Option('--cluster <hosts>', 'all servers of its cluster: nats1,nats2:6222').argParser(list),
    )
    .option('--tls-cert <file>', "its certificate (default: Puppet's for --broker)")
    .option('--tls-key <file>', "its key (default: Puppet's for --broker)")
    .option('--tls-ca <file>', "the CA (default: Puppet's)")
    .option('--check', 'write nothing; try at the running servers what must and must not work')
    .addOption(
      choiceOption('--format <format>', 'of --check: human or json', ['human', 'json']).default('human'),
    );
  addFolderOptions(command);
  command.action(
    async ({ check, format, ...options }: ConfigOptions & { check?: boolean; format: string }) => {
      checkFormat(format);
      if (check === true) {
        const { checkConfig } = await import('../nats/check-config.ts');
        context.exit(await checkConfig({ format }, command, context));
        return;
      }
      const { writeConfig } = await import('../nats/write-config.ts');
      await writeConfig(options, command, context);
    },
  );
}
