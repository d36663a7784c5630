/** The transport by which the command line reaches agents. */
import type { OpenSender } from '../controller/site.ts';

export const openSender: OpenSender = async ({ identity, connectTimeoutMs }) => {
  const { httpsSender } = await import('../transport/https/client/client.ts');
  return httpsSender({ identity, ...(connectTimeoutMs !== undefined && { connectTimeoutMs }) });
};
