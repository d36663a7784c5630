/** How Bolt would reach a target, and what that says about the host's agent (lib/bolt/inventory/target.rb). */
import { type Address, formatAddress, type Uri } from '../address.ts';

/** What matters here of `config`. */
export interface BoltConfig {
  readonly transport?: string | undefined;
  /** `host` of a transport's section. */
  readonly hosts: Readonly<Record<string, string>>;
}

/** Transports that reach no machine on the network, but a container, this host, or a device through another one. */
const WITHOUT_AGENT: readonly string[] = ['docker', 'jail', 'local', 'lxd', 'podman', 'remote'];

/** Bolt's transports (Bolt::Config::Options::TRANSPORT_CONFIG). */
export const TRANSPORTS: readonly string[] = [...WITHOUT_AGENT, 'pcp', 'ssh', 'winrm'];

/** The scheme of a uri that is ours. */
export const OWN_SCHEME = 'kick';

/** Transports to which the port of a uri without a scheme belongs. */
const WITH_PORT: readonly string[] = ['ssh', 'winrm'];

export function isWithoutAgent(transport: string): boolean {
  return WITHOUT_AGENT.includes(transport);
}

export interface ReachOptions {
  uri: Uri | undefined;
  /** Whether a mapping defines it; otherwise its name is its uri. */
  isDefined: boolean;
  /** Whether it is Bolt's own name for the machine it runs on. */
  isLocalhost: boolean;
  /** `config` of the target itself, and of its groups. */
  target: BoltConfig | undefined;
  groups: BoltConfig | undefined;
}

/** How a target is reached; `withoutAgent`: its transport, if that leads to no agent. */
export interface Reach {
  address?: Address;
  /** Whose port the uri has, if not kick's: `that of 10.0.0.7:22 is ssh's`. */
  otherPort?: string;
  withoutAgent?: string;
}

export function reachOf({ uri, isDefined, isLocalhost, target, groups }: ReachOptions): Reach {
  const configured = target?.transport ?? (isLocalhost ? 'local' : groups?.transport);
  const scheme = uri?.scheme;
  // `remote` in either place wins, but not over a uri with kick's own scheme.
  const isRemote = scheme !== OWN_SCHEME && [scheme, configured].includes('remote');
  const transport = isRemote ? 'remote' : (scheme ?? configured);
  if (transport !== undefined && isWithoutAgent(transport)) return { withoutAgent: transport };
  // Bolt's default transport applies only to files with Bolt's config; other files are not Bolt's.
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
