/** DESIGN 10, the configuration of nats-server for a site: https://docs.nats.io/running-a-nats-service/configuration */
import { agentPermissions, controllerPermissions, type Permissions } from './permissions.ts';

export interface ServerConfigOptions {
  /** `host:port` to listen on; defaults to every address and the usual port. */
  listen?: string;
  /** Absolute paths of PEM files: the server's own certificate and key, and Puppet's CA. */
  tls: { certificate: string; key: string; ca: string };
  /** Certnames. One may be both. */
  agents: readonly string[];
  controllers: readonly string[];
}

/** The file's text. All certnames must fit a subject (`fitsSubject`). */
export function natsServerConfig({
  listen = '0.0.0.0:4222',
  tls,
  agents,
  controllers,
}: ServerConfigOptions): string {
  const isController = new Set(controllers);
  const users = [...new Set([...controllers, ...agents])].map((certname) => {
    const permissions = [
      ...(isController.has(certname) ? [controllerPermissions(certname)] : []),
      ...(agents.includes(certname) ? [agentPermissions(certname)] : []),
    ];
    return user(certname, permissions);
  });
  return `# nats-server for kick, written by kick nats config. After a change: nats-server --signal reload
listen: ${quoted(listen)}

# Puppet's certificates for both ends. The name in a certificate is the user.
tls {
  cert_file: ${quoted(tls.certificate)}
  key_file: ${quoted(tls.key)}
  ca_file: ${quoted(tls.ca)}
  verify_and_map: true
  # After a restart thousands of agents come back at once.
  timeout: 30
}

# kick's messages have at most 32 KiB.
max_payload: 65536
# A controller with thousands of streams reads more slowly than their agents write; agents wait (credit window).
max_pending: 67108864
max_connections: 65536
# A certname with one user has a few subscriptions.
max_subscriptions: 16

# A certname may do what kick needs and nothing else. nats-server knows no CRL: kick's own TLS checks them at both ends,
# and who has no user here cannot connect. Write this file again when hosts come and go.
authorization {
  users: [
${users.join('\n')}
  ]
}
`;
}

function user(certname: string, permissions: readonly Permissions[]): string {
  const list = (which: keyof Permissions) =>
    permissions
      .flatMap((one) => one[which])
      .map(quoted)
      .join(', ');
  return `    {user: ${quoted(certname)}, permissions: {publish: [${list('publish')}], subscribe: [${list('subscribe')}]}}`;
}

/** A string of the configuration language; nothing that we write needs more than this. */
const quoted = (text: string) => JSON.stringify(text);
