/** The headings of --help, and what puts options below them. The agent loads this, too: no commander at run time. */
import type { Command } from 'commander';

export const OPTION_GROUPS = {
  hosts: 'Choosing hosts:',
  action: 'What to run:',
  rollout: 'Rollout:',
  waiting: 'Waiting:',
  output: 'Output and exit code:',
  places: 'Where things are:',
} as const;

export const COMMAND_GROUPS = {
  run: 'Running Puppet:',
  look: 'Looking at hosts:',
  hold: 'Pausing and stopping:',
  setup: 'Setting up:',
} as const;

/** Lists the options that `add` adds under `heading`; those added later go where they went before. */
export function inGroup(command: Command, heading: string, add: () => void): void {
  const before = command.optionsGroup();
  command.optionsGroup(heading);
  add();
  command.optionsGroup(before);
}

/** Lists --help itself under `heading`; by default it would be a group of its own. */
export function helpIn(command: Command, heading: string): void {
  command.addHelpOption(command.createOption('-h, --help', HELP).helpGroup(heading));
}

export const HELP = 'show this help';
