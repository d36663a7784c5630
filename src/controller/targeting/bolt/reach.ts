/** How Bolt would reach a target, as far as it tells where the host's agent is (lib/bolt/inventory/target.rb). */
import { type Address, formatAddress, type Uri } from '../address.ts';

/** What `config` says that matters here. */
export interface BoltConfig {
  readonly transport?: string | undefined;
  /** `host` of a transport's section. */
  readonly hosts: Readonly<Record<string, string>>;
}

/** Those that reach no machine in the network: a container, this host, or a device by way of another. */
const WITHOUT_AGENT: readonly string[] = ['docker', 'jail', 'local', 'lxd', 'podman', 'remote'];

/** Bolt's transports (Bolt::Config::Options::TRANSPORT_CONFIG). */
export const TRANSPORTS: readonly string[] = [...WITHOUT_AGENT, 'pcp', 'ssh', 'winrm'];

/** The scheme of a uri that is ours. */
export const OWN_SCHEME = 'kick';

/** Transports whose port stands in a uri without a scheme. */
const WITH_PORT: readonly string[] = ['ssh', 'winrm'];

export function isWithoutAgent(transport: string): boolean {
  return WITHOUT_AGENT.includes(transport);
}

export interface ReachOptions {
  uri: Uri | undefined;
  /** Whether a mapping defines it; else its name is its uri. */
  isDefined: boolean;
  /** Whether it is Bolt's own name for the machine it runs on. */
  isLocalhost: boolean;
  /** `config` of the target itself, and of its groups. */
  target: BoltConfig | undefined;
  groups: BoltConfig | undefined;
}

/** How a target is reached; `withoutAgent`: by a transport that leads to no agent. */
export interface Reach {
  address?: Address;
  /** Whose port the uri has where it is not ours: `ssh's port, that of 10.0.0.7:22`. */
  otherPort?: string;
  withoutAgent?: string;
}

export function reachOf({ uri, isDefined, isLocalhost, target, groups }: ReachOptions): Reach {
  const configured = target?.transport ?? (isLocalhost ? 'local' : groups?.transport);
  const scheme = uri?.scheme;
  // `remote` of either wins, but that a uri is ours nobody can overrule.
  const isRemote = scheme !== OWN_SCHEME && [scheme, configured].includes('remote');
  const transport = isRemote ? 'remote' : (scheme ?? configured);
  if (transport !== undefined && isWithoutAgent(transport)) return { withoutAgent: transport };
  // In a file with Bolt's config its default transport holds; in one without there is no Bolt.
  const hasConfig = target !== undefined || groups !== undefined;
  const effective = transport ?? (hasConfig ? 'ssh' : undefined);
  const configHost = isDefined ? (hostIn(target, effective) ?? hostIn(groups, effective)) : undefined;
  const host = uri?.host || configHost;
  if (host === undefined) return {};
  const port = uri?.port;
  if (port === undefined) return { address: { host } };
  const isOurs = scheme === OWN_SCHEME || (scheme === undefined && !WITH_PORT.includes(effective ?? ''));
  if (isOurs) return { address: { host, port } };
  return { address: { host }, otherPort: `that of ${formatAddress({ host, port })} is ${effective}'s` };
}

function hostIn(config: BoltConfig | undefined, transport: string | undefined): string | undefined {
  return transport === undefined ? undefined : config?.hosts[transport];
}
