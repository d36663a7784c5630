/** The transports by which the command line and the server reach agents. */
import type { OpenSender } from '../controller/site.ts';
import type { Brokers } from './open-broker.ts';

export interface SenderOpener {
  openSender: OpenSender;
  /** Ends what is kept between senders. */
  close(): Promise<void>;
}

/** `keepMs`: milliseconds for which a connection to a broker is kept for the next sender. */
export function createSenderOpener({ keepMs }: { keepMs: number }): SenderOpener {
  let brokers: Promise<Brokers> | undefined;
  return {
    async openSender({ identity, nats, connectTimeoutMs }) {
      const { httpsSender } = await import('../transport/https/client/client.ts');
      const options = { identity, ...(connectTimeoutMs !== undefined && { connectTimeoutMs }) };
      if (nats === undefined) return httpsSender(options);
      brokers ??= import('./open-broker.ts').then(({ createBrokers }) => createBrokers({ keepMs }));
      const { reach, onHere, close } = (await brokers).through(nats, identity);
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
    close: async () => (await brokers)?.close(),
  };
}

export const { openSender } = createSenderOpener({ keepMs: 0 });
