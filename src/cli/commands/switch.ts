/** `kick disable`, `kick enable`, `kick cancel`: signed commands that change what a host may do, or is doing. */
import type { Command } from 'commander';
import { EXIT } from '../../protocol/outcome.ts';
import type { Action } from '../../protocol/request.ts';
import { systemClock } from '../../util/clock.ts';
import { isMeantFor } from '../confirm.ts';
import type { CommandContext } from '../context.ts';
import { durationOf } from '../options/option-values.ts';
import { addFleetOptions, checkedReason, commandFleet, type FleetOptions, fleetOf } from './fleet.ts';

const EXITS = `
Exit codes: 0 done, or already so; 4 a host did not do it (it says why); 3 a
host was not reached or refused; 2 usage or configuration (nothing was sent).
`;

const DISABLE_EXAMPLES = `
Writes Puppet's own lock, as puppet agent --disable does, so that runs from cron
and by hand respect it, too. The first reason is kept. With --for, the agent
enables Puppet again by itself.

Examples:
  kick disable web1 --reason 'disk is being replaced' --for 2h
  kick disable @dmz --reason 'freeze until Monday' --for 3d
${EXITS}`;

const ENABLE_EXAMPLES = `
Examples:
  kick enable web1
  kick enable @dmz --force              even if somebody else disabled it
${EXITS}`;

const CANCEL_EXAMPLES = `
Ends the run that kick started: TERM to Puppet, KILL after the agent's
kill_grace. The outcome in its jobs is 'cancelled'. A run that kick did not
start is left alone, and named.

Examples:
  kick cancel web1
  kick jobs stop last --cancel          a whole job instead
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
    .description('keep Puppet from running on hosts, whoever starts it')
    .requiredOption('--reason <text>', 'why; shown to everybody who looks')
    .option('--for <time>', 'enable again after this long: 2h, 3d', durationOf(1000))
    .addHelpText('after', DISABLE_EXAMPLES);
  const enable = program
    .command('enable')
    .description('let Puppet run again')
    .option('--force', 'even if somebody else has disabled it')
    .option('--reason <text>', "why, for the hosts' logs")
    .addHelpText('after', ENABLE_EXAMPLES);
  const cancel = program
    .command('cancel')
    .description('end the run that kick started on hosts')
    .option('--reason <text>', "why, for the hosts' logs")
    .addHelpText('after', CANCEL_EXAMPLES);
  for (const [command, actionOf, what] of [
    [disable, disableAction, 'Disable Puppet'],
    [enable, enableAction, 'Enable Puppet'],
    [cancel, cancelAction, 'End the runs in progress'],
  ] as const) {
    addFleetOptions(command);
    command.option('-y, --yes', 'do not ask for confirmation');
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
