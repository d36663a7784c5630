/** What ends a server on the command line. */

/** Resolves to the name of the signal. Once it is called, a signal no longer kills the process: call it before announcing that the server is up. */
export function endSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => resolve(name));
  });
}
