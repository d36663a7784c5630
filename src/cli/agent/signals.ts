/** What signals mean to the agent, also those that come too early. */
import { setMaxListeners } from 'node:events';
import type { Log } from '../../util/log.ts';

/** A signal that may come before anything can be done about it, and would end Node: that is done when `use` is called. */
export function earlySignal(signal: NodeJS.Signals): { use(action: () => void): void } {
  let hasCome = false;
  let act = () => {
    hasCome = true;
  };
  process.on(signal, () => act());
  return {
    use(action) {
      act = action;
      if (hasCome) action();
    },
  };
}

/** SIGUSR1 begins a run, once `use` was called. */
export async function onRunSignal(log: Log): Promise<{ use(action: () => Promise<void>): void }> {
  let act = async () => log.warn({}, 'asked to run now, but the agent is not ready yet');
  process.on('SIGUSR1', () => void act());
  await closeDebugger(log);
  return {
    use(action) {
      act = action;
    },
  };
}

/**
 * Until there is a handler, Node starts its debugger on SIGUSR1: a signal that came too early has opened the debugger to
 * every local user. A debugger that was asked for is left open.
 */
export async function closeDebugger(log: Log): Promise<void> {
  const { close, url } = await import('node:inspector');
  const words = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ');
  if (url() === undefined || words.includes('--inspect')) return;
  close();
  log.warn({}, "SIGUSR1 came before the agent was ready and had opened Node's debugger: closed again");
}

/** Aborts on SIGTERM and SIGINT. */
export function endOnSignal(log: Log): AbortController {
  const ending = new AbortController();
  setMaxListeners(0, ending.signal);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log.info({ signal }, 'stopping');
      ending.abort();
    });
  }
  return ending;
}

export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
