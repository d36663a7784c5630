/** `kick disable`, `kick enable`, `kick cancel`: signed commands that change what a host may do, or does. */
import type { Command } from 'commander';
import { KickError } from '../../errors.ts';
import { EXIT } from '../../protocol/outcome.ts';
import type { Action } from '../../protocol/request.ts';
import { systemClock } from '../../util/clock.ts';
import { isMeantFor } from '../confirm.ts';
import type { CommandContext } from '../context.ts';
import { duration } from '../options/option-values.ts';
import { addFleetOptions, checkedReason, commandFleet, type FleetOptions, fleetOf } from './fleet.ts';

const EXITS = `
Exit codes: 0 done, or so already; 4 a host did not do it (it says why); 3 a host was not
reached or refused; 2 usage or configuration (nothing was sent).
`;

const DISABLE_EXAMPLES = `
Puppet's own lock is written (puppet agent --disable), so that cron and hand-made runs
respect it too. The first reason is kept. When the end has come the agent enables by itself.

Examples:
  kick disable web1 --reason 'disk is being replaced' --for 2h
  kick disable @dmz --reason 'freeze until Monday' --for 3d
${EXITS}`;

const ENABLE_EXAMPLES = `
Examples:
  kick enable web1
  kick enable @dmz --force                   also what somebody else has disabled
${EXITS}`;

const CANCEL_EXAMPLES = `
Ends the run of kick that is in progress: TERM to Puppet, KILL after the agent's kill_grace.
Its jobs are told 'cancelled'. A run that kick did not begin is left alone and named.

Examples:
  kick cancel web1
  kick jobs stop last --cancel               rather a whole job
${EXITS}`;

interface SwitchOptions extends FleetOptions {
  reason?: string;
  for?: number;
  force?: boolean;
  yes?: boolean;
}

export function addSwitchCommands(program: Command, context: CommandContext): void {
  const disable = program
    .command('disable')
    .description('no Puppet runs on these hosts, whoever begins it, until they are enabled')
    .requiredOption('--reason <text>', 'why; everybody who looks is told')
    .option('--for <time>', 'enable by itself after this: 2h, 3d', duration)
    .addHelpText('after', DISABLE_EXAMPLES);
  const enable = program
    .command('enable')
    .description('Puppet may run again')
    .option('--force', 'also where somebody else has disabled it')
    .option('--reason <text>', "why, for the hosts' logs")
    .addHelpText('after', ENABLE_EXAMPLES);
  const cancel = program
    .command('cancel')
    .description('end the run of kick that is in progress on these hosts')
    .option('--reason <text>', "why, for the hosts' logs")
    .addHelpText('after', CANCEL_EXAMPLES);
  for (const [command, actionOf, what] of [
    [disable, disableAction, 'Disable Puppet'],
    [enable, enableAction, 'Enable Puppet'],
    [cancel, cancelAction, 'End the runs in progress'],
  ] as const) {
    addFleetOptions(command);
    command.option('-y, --yes', 'do not ask, however many hosts there are');
    command.action(async (words: string[], options: SwitchOptions) => {
      const action = actionOf(options);
      const reason = options.reason === undefined ? undefined : checkedReason(options.reason, '--reason');
      const hosts = await fleetOf(words, options, command, context);
      const { err } = context.terminal;
      if (!(await isMeantFor(hosts.targets, { yes: options.yes, config: hosts.config, what, err }))) {
        return context.exit(EXIT.usage);
      }
      context.exit(await commandFleet(hosts, { action, reason }, options, context));
    });
  }
}

function disableAction({ reason = '', for: forMs }: SwitchOptions): Action {
  if (forMs !== undefined && forMs < 1000) throw new KickError('usage', '--for: shorter than a second');
  const until = forMs === undefined ? undefined : Math.ceil((systemClock.now() + forMs) / 1000);
  return {
    op: 'disable',
    reason: checkedReason(reason, '--reason'),
    ...(until !== undefined && { until }),
  };
}

function enableAction({ force }: SwitchOptions): Action {
  return { op: 'enable', ...(force === true && { force }) };
}

function cancelAction(): Action {
  return { op: 'cancel' };
}
