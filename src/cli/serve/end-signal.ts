/** What ends a server on the command line. */

/** Resolves to the name of the signal. From its call on a signal does not end the process by itself: call it before saying that one serves. */
export function endSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => resolve(name));
  });
}
