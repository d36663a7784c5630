/** The commands of whoever kicks. An agent, which stays in memory, never loads them. */
import type { Command } from 'commander';
import { addCompletionCommand } from './completion.ts';
import { addDoctorCommand } from './doctor.ts';
import { addJobsCommand } from './jobs.ts';
import { addNodesCommand } from './nodes.ts';
import { addPingCommand } from './ping.ts';
import { addPkiCommand } from './pki.ts';
import type { CommandContext } from './program.ts';
import { addRerunCommand } from './rerun.ts';
import { addRunCommand } from './run.ts';
import { addStatusCommands } from './status.ts';
import { addSwitchCommands } from './switch.ts';

export function addControllerCommands(program: Command, context: CommandContext): void {
  addRunCommand(program, context);
  addNodesCommand(program, context);
  addJobsCommand(program, context);
  addRerunCommand(program, context);
  addStatusCommands(program, context);
  addSwitchCommands(program, context);
  addDoctorCommand(program, context);
  addPingCommand(program, context);
  addPkiCommand(program, context);
  addCompletionCommand(program, context);
}
