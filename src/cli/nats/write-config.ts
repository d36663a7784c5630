/** `kick nats config`: writes the configuration of nats-server for the hosts of this site. */
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { identityPaths } from '../../config/identity.ts';
import type { KnownHosts } from '../../controller/known-hosts.ts';
import { KickError, onFiles } from '../../errors.ts';
import { isCertname } from '../../protocol/names.ts';
import { type Cluster, natsServerConfig } from '../../transport/nats/server-config.ts';
import { fitsSubject } from '../../transport/nats/subjects.ts';
import { writeFileAtomic } from '../../util/atomic-file.ts';
import { plural, safeText } from '../../util/text.ts';
import type { CommandContext } from '../context.ts';
import { openControllerOf } from '../open-controller.ts';
import { foldersOf } from '../options/folders.ts';
import { note } from '../print.ts';

export interface ConfigOptions {
  output?: string;
  controller?: string[];
  broker?: string;
  listen?: string;
  cluster?: string[];
  tlsCert?: string;
  tlsKey?: string;
  tlsCa?: string;
}

const CLUSTER_PORT = 6222;

/** Throws `KickError` before anything is written. */
export async function writeConfig(
  options: ConfigOptions,
  command: Command,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  const broker = certnameOf(
    '--broker',
    options.broker ?? foldersOf(command, context.env).certname ?? hostname(),
  );
  const given = (options.controller ?? []).map((name) => certnameOf('--controller', name));
  const listen = options.listen === undefined ? undefined : addressOf('--listen', options.listen, '0.0.0.0');
  const cluster = options.cluster === undefined ? undefined : clusterOf(options.cluster, broker);
  const controller = openControllerOf(command, context);
  const { certname, warnings } = await controller.identity();
  for (const warning of warnings) terminal.err(`warning: ${warning}\n`);
  const warn = (message: string) => terminal.err(`kick: warning: ${safeText(message)}\n`);
  const known = await controller.known({ warn });
  const [agents, odd] = parted(known.certnames);
  if (odd.length > 0)
    warn(`left out, since a name by NATS has no blank, "*", ">" or empty part: ${odd.join(', ')}`);
  const controllers = [...new Set([certname, ...given])];
  const text = natsServerConfig({
    ...(listen !== undefined && { listen }),
    tls: await tlsPaths(options, broker, command, context),
    ...{ agents, controllers, cluster },
    notes: [sourcesText(known, agents.length), controllersText(controllers)],
  });
  if (options.output === undefined) terminal.out(text);
  else await writeOut(options.output, text);
  const where = options.output === undefined ? '' : ` in ${options.output}`;
  note(
    terminal,
    `${safeText(`${sourcesText(known, agents.length)}; ${controllersText(controllers)}${where}`)}\n`,
  );
}

/** `12 agents: 10 of PuppetDB, 4 of the inventory; 1 revoked left out: …` */
function sourcesText({ sources, revoked }: KnownHosts, count: number): string {
  const from = sources.map(({ name, hosts }) => `${hosts} of ${name}`).join(', ');
  const out = revoked.length === 0 ? '' : `; ${plural(revoked.length, 'revoked name')} left out`;
  return `${plural(count, 'agent')}${from === '' ? ', nobody knows any host' : `: ${from}`}${out}`;
}

const controllersText = (names: readonly string[]) =>
  `${plural(names.length, 'controller')}: ${names.join(', ')}`;

function parted(names: readonly string[]): [fit: string[], odd: string[]] {
  return [names.filter(fitsSubject), names.filter((name) => !fitsSubject(name))];
}

async function writeOut(output: string, text: string): Promise<void> {
  const path = resolve(output);
  await onFiles({ code: 'config', doing: `write "${path}"` }, () =>
    writeFileAtomic(path, text, { mode: 0o644 }),
  );
}

/** Where the broker has its files: as this host has its own, under its own name. */
async function tlsPaths(
  { tlsCert, tlsKey, tlsCa }: ConfigOptions,
  broker: string,
  command: Command,
  { env }: CommandContext,
): Promise<{ certificate: string; key: string; ca: string }> {
  for (const [option, path] of Object.entries({
    '--tls-cert': tlsCert,
    '--tls-key': tlsKey,
    '--tls-ca': tlsCa,
  })) {
    if (path !== undefined && !path.startsWith('/'))
      throw new KickError('usage', `${option}: "${path}" is not an absolute path`);
  }
  if (tlsCert !== undefined && tlsKey !== undefined && tlsCa !== undefined)
    return { certificate: tlsCert, key: tlsKey, ca: tlsCa };
  const own = await identityPaths({ ...foldersOf(command, env), path: env['PATH'] ?? '' });
  const beside = (path: string) => join(dirname(path), `${broker}.pem`);
  return {
    certificate: tlsCert ?? beside(own.certificate),
    key: tlsKey ?? beside(own.key),
    ca: tlsCa ?? join(dirname(own.ca), basename(own.ca)),
  };
}

function certnameOf(option: string, text: string): string {
  const name = text.trim().toLowerCase();
  if (isCertname(name) && fitsSubject(name)) return name;
  throw new KickError('usage', `${option}: "${text}" is not a certname that NATS can carry`);
}

/** `host:port`; a bare port is one of `host`. */
function addressOf(option: string, text: string, host: string): string {
  const [, name = host, digits = ''] =
    /^(?:(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]{1,253}):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (port >= 1 && port <= 65_535) return `${name}:${port}`;
  throw new KickError('usage', `${option}: "${text}" is not an address`, { hint: `like ${host}:4222` });
}

function clusterOf(texts: readonly string[], broker: string): Cluster {
  const routes = texts.map((text) =>
    /:\d+$/.test(text)
      ? addressOf('--cluster', text, broker)
      : addressOf('--cluster', `${text}:${CLUSTER_PORT}`, broker),
  );
  const own = routes.find((route) => route.startsWith(`${broker}:`));
  return { listen: `0.0.0.0:${own?.slice(own.lastIndexOf(':') + 1) ?? CLUSTER_PORT}`, routes };
}
