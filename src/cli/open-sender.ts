/** The transports by which the command line and the server reach agents. */
import type { OpenCrowd, OpenSender } from '../controller/site.ts';
import type { Brokers } from './open-broker.ts';

export interface SenderOpener {
  openSender: OpenSender;
  openCrowd: OpenCrowd;
  /** Ends what is kept between senders. */
  close(): Promise<void>;
}

/** `keepMs`: milliseconds for which a connection to a broker is kept for the next sender. */
export function createSenderOpener({ keepMs }: { keepMs: number }): SenderOpener {
  let opened: Promise<Brokers> | undefined;
  const brokers = () =>
    (opened ??= import('./open-broker.ts').then(({ createBrokers }) => createBrokers({ keepMs })));
  return {
    async openSender({ identity, nats, connectTimeoutMs }) {
      const { httpsSender } = await import('../transport/https/client/client.ts');
      const options = { identity, ...(connectTimeoutMs !== undefined && { connectTimeoutMs }) };
      if (nats === undefined) return httpsSender(options);
      const { reach, onHere, close } = (await brokers()).through(nats, identity);
      const sender = httpsSender({ ...options, reach });
      return {
        ...sender,
        onHere,
        close() {
          sender.close();
          close();
        },
      };
    },
    openCrowd: async (options) => (await brokers()).crowd(options),
    async close() {
      const closing = opened;
      opened = undefined;
      await (await closing)?.close();
    },
  };
}

const ONE_COMMAND_MS = 3_600_000;

/** Of a command line, which closes it at its end: hosts are discovered and reached through one connection. */
export const ownSenders = createSenderOpener({ keepMs: ONE_COMMAND_MS });
