/** DESIGN 12, the configuration of nats-server for a site: https://docs.nats.io/running-a-nats-service/configuration */
import { agentPermissions, controllerPermissions, type Permissions } from './permissions.ts';

export interface ServerConfigOptions {
  /** `host:port` to listen on; defaults to every address and the usual port. */
  listen?: string;
  /** Absolute paths of PEM files: the server's own certificate and key, and Puppet's CA. */
  tls: TlsPaths;
  /** Certnames. One may be both. */
  agents: readonly string[];
  controllers: readonly string[];
  /** Servers that share the work. */
  cluster?: Cluster | undefined;
  /** Lines for the head of the file, without `#`. */
  notes?: readonly string[];
}

interface TlsPaths {
  certificate: string;
  key: string;
  ca: string;
}

export interface Cluster {
  /** `host:port` to listen on for the others. */
  listen: string;
  /** `host:port` of all of them; its own is ignored. */
  routes: readonly string[];
}

/** Bytes of a message that a server must take: a stream's are far below. */
export const MAX_PAYLOAD = 65_536;

/** The file's text. All certnames must fit a subject (`fitsSubject`). */
export function natsServerConfig({
  listen = '0.0.0.0:4222',
  tls,
  agents,
  controllers,
  cluster,
  notes = [],
}: ServerConfigOptions): string {
  const [isController, isAgent] = [new Set(controllers), new Set(agents)];
  const users = [...new Set([...controllers, ...agents])].map((certname) => {
    const permissions = [
      ...(isController.has(certname) ? [controllerPermissions(certname)] : []),
      ...(isAgent.has(certname) ? [agentPermissions(certname)] : []),
    ];
    return user(certname, permissions);
  });
  return `# nats-server for kick, written by kick nats config. After a change: nats-server --signal reload
${notes.map((note) => `# ${note.replace(/\s+/g, ' ')}\n`).join('')}listen: ${quoted(listen)}

# Puppet's certificates for both ends. The name in a certificate is the user. nats-server must be able to read the key.
tls {
${tlsFiles(tls)}
  verify_and_map: true
  # After a restart thousands of agents come back at once; the default is 2 seconds.
  timeout: 30
}
${cluster === undefined ? '' : clusterText(cluster, tls)}
# kick's messages have at most 32 KiB.
max_payload: ${MAX_PAYLOAD}
# A controller with thousands of streams reads more slowly than their agents write; agents wait (credit window).
max_pending: 67108864
max_connections: ${Math.max(65_536, 2 * users.length)}
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

const tlsFiles = ({ certificate, key, ca }: TlsPaths) => `  cert_file: ${quoted(certificate)}
  key_file: ${quoted(key)}
  ca_file: ${quoted(ca)}`;

/** Every host has a certificate of the CA, so a route must be told by more than that. */
function clusterText({ listen, routes }: Cluster, tls: TlsPaths): string {
  return `
# The other servers. A connection to this port is taken from a certificate whose name is one of the routes' and from no
# other: who came in here could listen to everything.
cluster {
  name: "kick"
  listen: ${quoted(listen)}
  tls {
${tlsFiles(tls).replaceAll(/^/gm, '  ')}
    verify_cert_and_check_known_urls: true
    timeout: 10
  }
  # agent.yaml and controller.yaml name the servers.
  no_advertise: true
  routes: [
${routes.map((route) => `    ${quoted(`tls://${route}`)}`).join('\n')}
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
