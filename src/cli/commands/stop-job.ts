/** `kick jobs stop`. */
import type { Command } from 'commander';
import { identityOf } from '../../config/identity.ts';
import type { JobStore } from '../../controller/jobs/job-store.ts';
import { storedJob } from '../../controller/jobs/read-job.ts';
import { sealedCancel } from '../../controller/jobs/seal-request.ts';
import { type StoredJob, unfinished } from '../../controller/jobs/stored-job.ts';
import { refusalLine } from '../../controller/rollout/refusal-words.ts';
import { KickError, messageOf } from '../../errors.ts';
import { EXIT } from '../../protocol/outcome.ts';
import { describeBy } from '../../protocol/request.ts';
import { SendError } from '../../transport/transport.ts';
import { systemClock } from '../../util/clock.ts';
import { plural, safeText } from '../../util/text.ts';
import { shortId } from '../../util/uuid.ts';
import type { CommandContext } from '../context.ts';
import { foldersOf } from '../options/folders.ts';
import { whoAsks } from '../who.ts';

export interface StopOptions {
  cancel?: boolean;
  command: Command;
  context: CommandContext;
}

/** Resolves to the exit status: 3 where a host could not be told. */
export async function stopJob(store: JobStore, text: string, options: StopOptions): Promise<number> {
  const { cancel = false, context } = options;
  const stored = await storedJob(store, text);
  const { id } = stored.job;
  const name = shortId(id);
  const isOver = stored.endedAt !== undefined && unfinished(stored).length === 0;
  if (isOver) throw new KickError('usage', `stop the job ${name}: it is over`);
  if (stored.controller !== undefined) {
    const by = describeBy(whoAsks(context.env, undefined));
    await store.order(id, { at: systemClock.now(), by, cancel });
    const what = cancel ? ', and runs in progress are ended' : '; those that run go on';
    context.terminal.out(`job ${name} (pid ${stored.controller.pid}) starts no more hosts${what}\n`);
    return 0;
  }
  if (!cancel) {
    context.terminal.out(
      `job ${name}: no controller drives it, so no host is started; --cancel ends what runs\n`,
    );
    return 0;
  }
  return (await cancelThere(stored, options)) ? 0 : EXIT.incomplete;
}

/** Nobody drives the job: its hosts are told from here. False where one could not be. */
async function cancelThere(stored: StoredJob, { command, context }: StopOptions): Promise<boolean> {
  const { terminal, env } = context;
  const identity = await identityOf(foldersOf(command, env), env['PATH'] ?? '');
  const { httpsSender } = await import('../../transport/https/client/client.ts');
  const sender = httpsSender({ identity, connectTimeoutMs: stored.settings.connectTimeoutMs });
  const targets = unfinished(stored);
  terminal.out(
    `job ${shortId(stored.job.id)}: no controller drives it; ${plural(targets.length, 'host')} to cancel\n`,
  );
  try {
    const told = await Promise.all(
      targets.map(async (target) => {
        const { certname } = target;
        try {
          const body = await sealedCancel(stored.job, certname, { identity, now: systemClock.now() });
          const { message } = await sender.command(target, body, AbortSignal.timeout(30_000));
          terminal.out(`${safeText(`  ${certname}  ${message}`)}\n`);
          return true;
        } catch (error) {
          terminal.out(`${safeText(`  ${certname}  not cancelled: ${whyNot(error)}`)}\n`);
          return false;
        }
      }),
    );
    return !told.includes(false);
  } finally {
    sender.close();
  }
}

function whyNot(error: unknown): string {
  const refusal = error instanceof SendError ? error.refusal : undefined;
  return refusal === undefined ? messageOf(error) : refusalLine(refusal, systemClock.now());
}
