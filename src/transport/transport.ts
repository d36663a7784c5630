/**
 * The seam of DESIGN 6: a sender on the controller, a listener on the agent, and what passes between
 * them. Nothing above it knows HTTP; another transport carries the same bytes.
 */
import type { Duplex } from 'node:stream';
import type { StoredEvent } from '../protocol/event.ts';
import type { Way } from '../protocol/names.ts';
import type { OtherEnd } from '../protocol/newer-event.ts';
import type { RefusalBody } from '../protocol/refusal.ts';
import type { AgentStatus, BrokerStatus, CommandReply } from '../protocol/status.ts';

// ---------------------------------------------------------------- the agent's side

/** The other end, as verified by the transport (chain, dates, usage, every CRL). */
export interface Peer {
  /** The leaf certificate, DER. */
  readonly certificate: Uint8Array;
  /** Its address, for the log. */
  readonly address: string;
  /** Its clock when it asked, milliseconds since 1970; absent from older controllers. */
  readonly time?: number;
  /** Of the listener that it came in by, where that is a process of its own (DESIGN 14), if that has brokers. */
  readonly broker?: BrokerStatus;
}

/** A request's events after a number; ends after `finished`, or when the agent stops. */
export type EventStream = AsyncIterable<StoredEvent>;

/** What a transport calls on the agent. Every method may throw `Refusal`; any other error is `internal`. */
export interface AgentService {
  /** Whether a rule of this host names the holder of this certificate (DER) as a controller; never throws. */
  isController(certificate: Uint8Array): boolean;
  /** Before anything is read from a peer: throws `Refusal` `controller-not-allowed` unless it is a controller. */
  greet(peer: Peer): Promise<void>;
  /** Takes a sealed request of `op: run`. Resolves once the request is on disk. */
  submit(body: Uint8Array, peer: Peer): Promise<(signal: AbortSignal) => EventStream>;
  /** Opens the stream of a job that this peer started. */
  events(from: EventsFrom, peer: Peer): Promise<(signal: AbortSignal) => EventStream>;
  status(peer: Peer, question?: StatusQuestion): Promise<AgentStatus>;
  /** Takes a sealed request of another op. Resolves when it is done. */
  command(body: Uint8Array, peer: Peer): Promise<CommandReply>;
}

/** A place in a job's events. */
export interface EventsFrom {
  /** UUID. */
  job: string;
  /** The number of the last event that is known; 0: from the start. */
  after: number;
}

/** What an agent reports on demand only, since it is long. */
export interface StatusQuestion {
  /** Puppet's classes.txt. */
  classes?: boolean;
  /** What will go wrong on the host. */
  doctor?: boolean;
}

export interface Listener {
  /** 0: it listens on none. */
  readonly port: number;
  /** Takes no new requests, ends the streams, closes within a few seconds. */
  close(): Promise<void>;
}

/** One whose socket another process may hold beyond its end. */
export interface LocalListener extends Listener {
  /** Open connections, and when a controller had one last (monotonic milliseconds; undefined: never). */
  inUse(): { connections: number; controllerAt: number | undefined };
  /**
   * Accepts no more connections, from this moment on; those that come are left to who holds the descriptor. Resolves once
   * those accepted have their answer, or its head, or have had a second for it.
   */
  leave(): Promise<void>;
}

// ---------------------------------------------------------------- the controller's side

/** A host and where it listens. */
export interface Target {
  readonly certname: string;
  /** Name or address to connect to. */
  readonly host: string;
  readonly port: number;
  /** Defaults to `direct`. */
  readonly via?: Way;
}

/** Makes streams to agents through a broker. */
export interface StreamDialler {
  /**
   * A stream to an agent, on which TLS is spoken. Takes at most so many milliseconds. Throws `SendError`, never `arrived`.
   */
  dial(certname: string, options: { withinMs: number; signal: AbortSignal }): Promise<Duplex>;
}

/** Asks all agents at once, through a broker (DESIGN 12, discovery). */
export interface Crowd {
  /** Where answers are to go: a part of every question. */
  readonly session: string;
  /** Rejects with the reason if there is no connection after so many milliseconds. */
  ready(options: { withinMs: number; signal: AbortSignal }): Promise<void>;
  /** Sends a sealed question. */
  ask(question: Uint8Array, listener: CrowdListener): Asked;
}

export interface Asked {
  /** Has the broker say which of these hosts are not there: `onAbsent`. */
  seek(certnames: Iterable<string>): void;
  /** Ends listening. */
  end(): void;
}

export interface CrowdListener {
  /** Whatever came as the answer of this host; anybody may have made it. */
  onAnswer(certname: string, body: Uint8Array): void;
  /** The broker's word that the agent of this host, which was sought, is not there. */
  onAbsent(certname: string): void;
  /** The broker's word that no agent listens. */
  onNobody(): void;
  /** No answer can come any more; why, as a sentence. */
  onFailure(reason: string): void;
}

export type IncomingEvent = StoredEvent | OtherEnd | { type: 'alive' };

export interface SendOptions {
  /** Ends the call and its stream. */
  signal: AbortSignal;
  /** What may still come; the same one for each connection of a host and job. Defaults to a whole one. */
  budget?: StreamBudget;
}

/** What is left of what an agent may send about one job: counted down by whatever comes. */
export interface StreamBudget {
  bytes: number;
  events: number;
}

/** Twice what an agent keeps of any run: 16 MiB of its output, and its resources. */
export const wholeBudget = (): StreamBudget => ({ bytes: 32 << 20, events: 200_000 });

export interface Sender {
  /** Sends a sealed run request; resolves once the agent has accepted it and streams events. */
  submit(target: Target, body: Uint8Array, options: SendOptions): Promise<AsyncIterable<IncomingEvent>>;
  resume(target: Target, options: SendOptions & EventsFrom): Promise<AsyncIterable<IncomingEvent>>;
  status(target: Target, options: SendOptions & StatusQuestion): Promise<AgentStatus>;
  command(target: Target, body: Uint8Array, options: SendOptions): Promise<CommandReply>;
  /**
   * Calls `listener` whenever a host says that it can be reached; returns what ends that. Absent, or without effect, where
   * the transport cannot tell.
   */
  onHere?(target: Target, listener: () => void): () => void;
  close(): void;
}

export type SendFailure =
  /** The name does not resolve. */
  | 'no-such-name'
  /** Nothing listens on the port. */
  | 'connection-refused'
  /** No answer within the connect time limit, or no route. */
  | 'no-answer'
  /** The other end's certificate is not the target's, not of our CA, expired or revoked. */
  | 'certificate'
  /** The other end closed the connection when it saw our certificate. */
  | 'not-trusted'
  /** The agent answered with a refusal. */
  | 'refused'
  /** The connection broke, or was silent for too long. */
  | 'broken'
  /** The answer is not one of an agent. */
  | 'garbage'
  /** The agent has sent more than any run makes. */
  | 'too-much'
  /** The caller's signal. */
  | 'aborted';

export interface SendErrorOptions {
  /** Whether the request may have reached the agent: true once its body was handed to the connection. */
  arrived: boolean;
  refusal?: RefusalBody;
  cause?: unknown;
}

/** Why a call of `Sender`, or its stream, failed. The message is a sentence for people. */
export class SendError extends Error {
  readonly failure: SendFailure;
  readonly arrived: boolean;
  readonly refusal: RefusalBody | undefined;

  constructor(failure: SendFailure, message: string, options: SendErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SendError';
    this.failure = failure;
    this.arrived = options.arrived;
    this.refusal = options.refusal;
  }
}
