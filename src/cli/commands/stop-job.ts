/** `kick jobs stop`. */
import type { Command } from 'commander';
import { EXIT } from '../../protocol/outcome.ts';
import { plural, safeText } from '../../util/text.ts';
import { shortId } from '../../util/uuid.ts';
import type { CommandContext } from '../context.ts';
import { openControllerOf } from '../open-controller.ts';
import { whoAsks } from '../who.ts';

export interface StopOptions {
  cancel?: boolean;
  command: Command;
  context: CommandContext;
}

/** Resolves to the exit status: 3 if a host could not be asked. */
export async function stopJob(
  text: string,
  { cancel = false, command, context }: StopOptions,
): Promise<number> {
  const { out } = context.terminal;
  const stopped = await openControllerOf(command, context).stop(text, {
    by: whoAsks(context.env, undefined),
    cancel,
    onCancelling: (job, hosts) =>
      out(`job ${shortId(job)}: no controller drives it; ${plural(hosts, 'host')} to cancel\n`),
    onAnswer: ({ certname, isDone, message }) =>
      out(`${safeText(`  ${certname}  ${isDone ? '' : 'not cancelled: '}${message}`)}\n`),
  });
  const name = shortId(stopped.job);
  switch (stopped.how) {
    case 'ordered': {
      const what = cancel ? ', and runs in progress are ended' : '; those that run go on';
      out(`job ${name} (pid ${stopped.pid}) starts no more hosts${what}\n`);
      return 0;
    }
    case 'idle':
      out(`job ${name}: no controller drives it, so no host is started; --cancel ends runs in progress\n`);
      return 0;
    case 'cancelled':
      return stopped.answers.every(({ isDone }) => isDone) ? 0 : EXIT.incomplete;
  }
}
