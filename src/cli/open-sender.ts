/** The transports by which the command line and the server reach agents. */
import type { OpenSender } from '../controller/site.ts';

export const openSender: OpenSender = async ({ identity, nats, connectTimeoutMs }) => {
  const { httpsSender } = await import('../transport/https/client/client.ts');
  const options = { identity, ...(connectTimeoutMs !== undefined && { connectTimeoutMs }) };
  if (nats === undefined) return httpsSender(options);
  const { throughBrokers } = await import('./open-broker.ts');
  const { reach, onHere, close } = throughBrokers(nats, identity);
  const sender = httpsSender({ ...options, reach });
  return {
    ...sender,
    onHere,
    close() {
      sender.close();
      close();
    },
  };
};
