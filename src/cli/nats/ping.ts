/** `kick nats ping`: who is at the broker, and how far away. */
import type { Command } from 'commander';
import { type NatsConfig, noBroker } from '../../config/nats-config.ts';
import { discover } from '../../controller/fleet/discover.ts';
import { askEach } from '../../controller/fleet/each-host.ts';
import { KickError, messageOf } from '../../errors.ts';
import type { Identity } from '../../pki/identity.ts';
import { EXIT } from '../../protocol/outcome.ts';
import { type Pong, pingDocument, pingLines, pongLine } from '../../report/ping-report.ts';
import type { BrokerConnection } from '../../transport/nats/connection.ts';
import { NatsCrowd } from '../../transport/nats/crowd.ts';
import { Pinger } from '../../transport/nats/pinger.ts';
import { NOT_CONNECTED } from '../../transport/nats/session.ts';
import type { Target } from '../../transport/transport.ts';
import { systemClock } from '../../util/clock.ts';
import { safeJson, safeText } from '../../util/text.ts';
import { prepareHosts } from '../commands/hosts.ts';
import type { CommandContext } from '../context.ts';
import { openLink } from '../open-broker.ts';
import { openControllerOf } from '../open-controller.ts';
import type { HostOptions } from '../options/host-options.ts';
import { print } from '../print.ts';

export interface PingOptions extends HostOptions {
  format: 'human' | 'json';
  /** Milliseconds; defaults to 2 s, and for everybody to as long as answers come. */
  timeout?: number;
  concurrency: number;
}

const TIMEOUT_MS = 2000;
const CONNECT_MS = 10_000;

/** Resolves to the exit status. */
export async function natsPing(
  words: readonly string[],
  options: PingOptions,
  command: Command,
  context: CommandContext,
): Promise<number> {
  const { terminal } = context;
  const controller = openControllerOf(command, context);
  const { nats } = await controller.config();
  if (nats === undefined) throw noBroker('ping through NATS');
  const identity = await controller.identity();
  for (const warning of identity.warnings) terminal.err(`warning: ${warning}\n`);
  const isNamed = namesHosts(words, options);
  const targets = isNamed
    ? (await prepareHosts(words, options, command, context)).targets
    : await expected(options, command, context);
  const known = targets ?? [];
  const width = known.reduce((most, { certname }) => Math.max(most, certname.length), 0);
  const onPong = (pong: Pong) => {
    if (options.format === 'human') print(terminal, `${safeText(pongLine(pong, width))}\n`);
  };
  const startedAt = performance.now();
  const pongs = await withLink(nats, identity, (link) =>
    isNamed
      ? pingEach(known, { link, identity, options, onPong })
      : pingAll(targets, { link, identity, options, onPong }),
  );
  const totals = { pongs, tookMs: performance.now() - startedAt };
  if (options.format === 'json') terminal.out(`${safeJson(pingDocument(totals), 2)}\n`);
  else {
    const lines = pingLines(totals, terminal.outColumns() ?? 80);
    print(terminal, `\n${lines.map(safeText).join('\n')}\n`);
  }
  return pongs.length > 0 && pongs.every(({ latencyMs }) => latencyMs !== undefined) ? 0 : EXIT.incomplete;
}

interface Pinging {
  link: BrokerConnection;
  identity: Identity;
  options: PingOptions;
  onPong(pong: Pong): void;
}

function pingEach(targets: readonly Target[], { link, identity, options, onPong }: Pinging): Promise<Pong[]> {
  const pinger = new Pinger(link, identity.certname);
  const withinMs = options.timeout ?? TIMEOUT_MS;
  const ask = async ({ certname }: Target, signal: AbortSignal): Promise<Pong> => {
    try {
      return { certname, latencyMs: await pinger.ping(certname, { withinMs, signal }) };
    } catch (error) {
      return { certname, error: messageOf(error) };
    }
  };
  return askEach(targets, ask, { concurrency: options.concurrency, onAnswer: onPong });
}

/** One question to everybody at the broker; `targets` are those that should be there. */
async function pingAll(
  targets: readonly Target[] | undefined,
  { link, identity, options: { timeout }, onPong }: Pinging,
): Promise<Pong[]> {
  const { answers, silent, absent } = await discover(
    {},
    {
      ...{ identity, crowd: new NatsCrowd(link, identity.certname), clock: systemClock },
      ...{ expected: targets?.map(({ certname }) => certname), waitMs: timeout },
      onHost: ({ certname, latencyMs }) => onPong({ certname, latencyMs }),
    },
  );
  const quiet = silent
    .sort()
    .map((certname): Pong => ({ certname, ...(absent.has(certname) && { error: NOT_CONNECTED }) }));
  for (const pong of quiet) onPong(pong);
  return [
    ...[...answers.values()].map(({ certname, latencyMs }): Pong => ({ certname, latencyMs })),
    ...quiet,
  ];
}

/** Hosts that go by the broker, as far as anybody knows; undefined if nobody does. */
async function expected(
  options: PingOptions,
  command: Command,
  context: CommandContext,
): Promise<readonly Target[] | undefined> {
  try {
    const { targets } = await prepareHosts([], { ...options, all: true }, command, context);
    const own = targets.filter(({ via = 'direct' }) => via !== 'direct');
    return own.length === 0 ? undefined : own;
  } catch (error) {
    if (error instanceof KickError && error.code === 'usage') return undefined;
    throw error;
  }
}

function namesHosts(words: readonly string[], options: HostOptions): boolean {
  const { host, group, nodesFile, query, fact, class: classes, last, all } = options;
  return (
    words.length > 0 ||
    all === true ||
    [host, group, nodesFile, query, fact, classes, last].some((one) => one !== undefined)
  );
}

async function withLink<T>(
  nats: NatsConfig,
  identity: Identity,
  work: (link: BrokerConnection) => Promise<T>,
): Promise<T> {
  const link = await openLink(nats, identity);
  try {
    await link.ready({ withinMs: CONNECT_MS, signal: new AbortController().signal });
    return await work(link);
  } catch (error) {
    if (error instanceof KickError) throw error;
    throw new KickError('config', `ping through NATS: ${messageOf(error)}`, {
      hint: 'kick nats config --check',
    });
  } finally {
    await link.close();
  }
}
