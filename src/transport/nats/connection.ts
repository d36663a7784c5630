/**
 * DESIGN 12, the connection to a broker. The official client makes each connection. Making it again is done here: a fleet
 * must not come back all at once, whatever was under way is lost in any case, and the client gives up after two refusals.
 */
import { randomInt } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { type NatsConnection, PermissionViolationError } from '@nats-io/nats-core';
import type { Identity } from '../../pki/identity.ts';
import type { BrokerStatus } from '../../protocol/status.ts';
import { sleep } from '../../util/clock.ts';
import { type Log, silentLog } from '../../util/log.ts';
import { tlsOptions } from '../tls/options.ts';
import { attemptReason } from './attempt-reason.ts';
import type { Denial, Link, LinkStatus, Message } from './link.ts';
import { answers, openConnection, type Subscription, subscribeAt } from './open-connection.ts';
import { untilConnected } from './until-connected.ts';

export interface BrokerOptions {
  /** `host:port`; tried in random order. */
  servers: readonly string[];
  /** False only for brokers on this machine: who asks whom is then readable on the way to them. */
  tls: boolean;
  identity: Identity;
  log?: Log;
  /** The longest wait before a further attempt, milliseconds. Each is random, below a bound that doubles from 2 s. */
  maxWaitMs: number;
  /** The most of our time that what comes from a broker may take, from 0 to 1; defaults to all of it. */
  share?: number;
}

const FIRST_WAIT_MS = 2000;
const RENEW_WITHIN_MS = 30_000;
const CLOSE_MS = 2000;
/** Of one connection: a server may deny without end what nobody asked. */
const MAX_LOGGED_DENIALS = 20;

/** Connects, and again whenever the connection is lost, until it is closed. What goes wrong is in `status`. */
export class BrokerConnection implements Link {
  readonly #options: Required<BrokerOptions>;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  readonly #subscriptions = new Set<Subscription>();
  readonly #onLost = new Set<(reason: string) => void>();
  readonly #onConnected: (() => void)[] = [];
  readonly #onDenied = new Set<(denial: Denial) => void>();
  readonly #onChange = new Set<() => void>();
  #secureContext: SecureContext;
  #connection: NatsConnection | undefined;
  #status: LinkStatus = { state: 'connecting', reconnects: 0 };
  #renewal: NodeJS.Timeout | undefined;
  #shown: Pick<LinkStatus, 'certificateEnds'> = {};

  /** Throws like `tlsMaterial`. */
  constructor(options: BrokerOptions) {
    this.#options = { log: silentLog, share: 1, ...options };
    this.#secureContext = createSecureContext(tlsOptions(options.identity));
    this.#running = this.#run();
  }

  status(): LinkStatus {
    return this.#status;
  }

  /** For an agent's status. */
  brokerStatus(): BrokerStatus | undefined {
    const { state, ...status } = this.#status;
    return state === 'closed' ? undefined : status;
  }

  ready(wait: { withinMs: number; signal: AbortSignal }): Promise<void> {
    return untilConnected(this, { ...wait, changes: this.#onChange });
  }

  publish(subject: string, data: Uint8Array, reply?: string): void {
    const connection = this.#connection;
    if (connection === undefined || connection.isClosed()) return;
    connection.publish(subject, data, reply === undefined ? undefined : { reply });
  }

  subscribe(subject: string, onMessage: (message: Message) => void): () => void {
    const subscription: Subscription = { subject, onMessage };
    this.#subscriptions.add(subscription);
    const connection = this.#connection;
    if (connection !== undefined && !connection.isClosed()) subscribeAt(connection, subscription);
    return () => {
      this.#subscriptions.delete(subscription);
      subscription.end?.();
    };
  }

  onLost(listener: (reason: string) => void): () => void {
    this.#onLost.add(listener);
    return () => this.#onLost.delete(listener);
  }

  onConnected(listener: () => void): void {
    this.#onConnected.push(listener);
    if (this.#connection !== undefined) listener();
  }

  onDenied(listener: (denial: Denial) => void): () => void {
    this.#onDenied.add(listener);
    return () => this.#onDenied.delete(listener);
  }

  /** Uses another certificate, CAs and CRLs, for a connection that is made within half a minute. Throws like `tlsMaterial`. */
  setIdentity(identity: Identity): void {
    this.#secureContext = createSecureContext(tlsOptions(identity));
    clearTimeout(this.#renewal);
    this.#renewal = setTimeout(() => void this.#connection?.close(), randomInt(RENEW_WITHIN_MS)).unref();
  }

  /** Sends what is left, then closes. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#renewal);
    this.#become({ state: 'closed', reconnects: this.#status.reconnects });
    for (const listener of this.#onLost) listener('it is closed');
    const connection = this.#connection;
    if (connection !== undefined) {
      const isDrained = new AbortController();
      const drained = connection.drain().catch(() => {});
      await Promise.race([drained, sleep(CLOSE_MS, isDrained.signal)]);
      isDrained.abort(); // a timer keeps the process
      await connection.close();
    }
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    const { maxWaitMs } = this.#options;
    let boundMs = FIRST_WAIT_MS;
    while (!signal.aborted) {
      const hasLived = await this.#attempt();
      boundMs = hasLived ? FIRST_WAIT_MS : boundMs * 2;
      await sleep(randomInt(Math.min(boundMs, maxWaitMs)), signal);
    }
  }

  /** Connects and waits for the end of the connection. Returns whether there was one. */
  async #attempt(): Promise<boolean> {
    let connection: NatsConnection;
    try {
      connection = await this.#connect();
    } catch (error) {
      this.#fail(attemptReason(error));
      return false;
    }
    if (this.#closing.signal.aborted) {
      await connection.close();
      return true;
    }
    const isHeard = await this.#open(connection);
    const isMute = !isHeard && !connection.isClosed();
    if (isMute) await connection.close();
    const reason = endReason(await connection.closed());
    this.#connection = undefined;
    if (isHeard) this.#lose(reason);
    else this.#fail(isMute ? 'it does not answer' : reason);
    return isHeard;
  }

  #fail(reason: string): void {
    if (this.#closing.signal.aborted) return;
    const { log, servers } = this.#options;
    if (reason !== this.#status.reason) log.warn({ servers, reason }, 'cannot connect to the broker');
    this.#become({ state: 'connecting', reason, reconnects: this.#status.reconnects });
  }

  /** To one of the servers, in random order. Throws what stood against the last of them. */
  async #connect(): Promise<NatsConnection> {
    const { servers, tls, identity, share } = this.#options;
    const secureContext = tls ? this.#secureContext : undefined;
    let failure: unknown;
    for (const server of shuffled(servers)) {
      if (this.#closing.signal.aborted) break;
      try {
        const name = `kick ${identity.certname}`;
        this.#shown = {};
        const onCertificate = (certificateEnds: number) => {
          this.#shown = { certificateEnds };
        };
        return await openConnection(server, { secureContext, name, share, onCertificate });
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  /** Connected is who is heard: the broker has taken the subscriptions by then. Returns whether it has. */
  async #open(connection: NatsConnection): Promise<boolean> {
    const server = connection.getServer();
    this.#connection = connection;
    for (const subscription of this.#subscriptions) subscribeAt(connection, subscription);
    void this.#watch(connection);
    if (!(await answers(connection)) || this.#closing.signal.aborted) return false;
    this.#options.log.info({ server }, 'connected to the broker');
    this.#become({ state: 'connected', server, ...this.#shown, reconnects: this.#status.reconnects });
    for (const listener of this.#onConnected) listener();
    return true;
  }

  #lose(reason: string): void {
    if (this.#closing.signal.aborted) return;
    this.#options.log.warn({ reason }, 'the connection to the broker was lost');
    this.#become({ state: 'connecting', reason, reconnects: this.#status.reconnects + 1 });
    for (const listener of this.#onLost) listener(reason);
  }

  /** The broker tells of what it does not allow, whenever. */
  async #watch(connection: NatsConnection): Promise<void> {
    let logged = 0;
    for await (const status of connection.status()) {
      if (status.type !== 'error' || !(status.error instanceof PermissionViolationError)) continue;
      const { subject } = status.error;
      const operation = status.error.operation === 'publish' ? 'publish' : 'subscribe';
      logged += 1;
      if (logged <= MAX_LOGGED_DENIALS)
        this.#options.log.warn(
          { operation, subject },
          'the broker does not allow this: see kick nats config',
        );
      for (const listener of this.#onDenied) listener({ operation, subject });
    }
  }

  #become(status: LinkStatus): void {
    this.#status = status;
    for (const listener of [...this.#onChange]) listener();
  }
}

const endReason = (error: unknown) =>
  error instanceof Error ? attemptReason(error) : 'it closed the connection';

/** Fisher and Yates. */
function shuffled<T>(values: readonly T[]): T[] {
  const all = [...values];
  for (let index = all.length - 1; index > 0; index--) {
    const other = randomInt(index + 1);
    [all[index], all[other]] = [all[other] as T, all[index] as T];
  }
  return all;
}
