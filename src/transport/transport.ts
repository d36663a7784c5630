/**
 * The seam of DESIGN 6: a sender on the controller, a listener on the agent, and what passes
 * between them. Nothing above this file knows HTTP; the next transport carries the same bytes.
 */
import type { StoredEvent } from '../protocol/event.ts';
import type { RefusalBody } from '../protocol/refusal.ts';
import type { AgentStatus, CommandReply } from '../protocol/status.ts';

// ---------------------------------------------------------------- the agent's side

/** Who is at the other end, as the transport has verified it (chain, dates, usage, every CRL). */
export interface Peer {
  /** The leaf certificate, DER. */
  readonly certificate: Uint8Array;
  /** Where from, for the log. */
  readonly address: string;
  /** Its clock when it asked, milliseconds since 1970; absent where it does not say (an earlier controller). */
  readonly time?: number;
}

/** A request's events from after a number on; ends after `finished`, or when the agent stops. */
export type EventStream = AsyncIterable<StoredEvent>;

/** What a transport asks of the agent. Every method may throw `Refusal`; anything else is `internal`. */
export interface AgentService {
  /** A sealed request of `op: run`. It resolves once the request is on disk. */
  submit(body: Uint8Array, peer: Peer): Promise<(signal: AbortSignal) => EventStream>;
  /** The stream of a job that this peer began, after event number `after`. */
  events(job: string, after: number, peer: Peer): Promise<(signal: AbortSignal) => EventStream>;
  status(peer: Peer, question?: StatusQuestion): Promise<AgentStatus>;
  /** A sealed request of another op. Resolves when it is done. */
  command(body: Uint8Array, peer: Peer): Promise<CommandReply>;
}

/** What is told beside the state, since it is long. */
export interface StatusQuestion {
  /** Puppet's classes.txt. */
  classes?: boolean;
  /** What will go wrong on the host. */
  doctor?: boolean;
}

export interface Listener {
  readonly port: number;
  /** Takes no new requests, ends the streams, closes within a few seconds. */
  close(): Promise<void>;
}

// ---------------------------------------------------------------- the controller's side

/** A host and where it listens. */
export interface Target {
  readonly certname: string;
  /** Name or address to connect to. */
  readonly host: string;
  readonly port: number;
}

export type IncomingEvent = StoredEvent | { type: 'alive' };

export interface Sender {
  /** Sends a sealed run request; resolves when the agent has answered 'accepted' and streams. */
  submit(target: Target, body: Uint8Array, signal: AbortSignal): Promise<AsyncIterable<IncomingEvent>>;
  resume(
    target: Target,
    job: string,
    after: number,
    signal: AbortSignal,
  ): Promise<AsyncIterable<IncomingEvent>>;
  status(target: Target, signal: AbortSignal, question?: StatusQuestion): Promise<AgentStatus>;
  command(target: Target, body: Uint8Array, signal: AbortSignal): Promise<CommandReply>;
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
  /** The other end closed while it looked at our certificate. */
  | 'not-trusted'
  /** The agent answered with a refusal. */
  | 'refused'
  /** The connection broke, or was silent for too long. */
  | 'broken'
  /** What came back is not what an agent says. */
  | 'garbage'
  /** The caller's signal. */
  | 'aborted';

export interface SendErrorOptions {
  /** Whether the request may have reached the agent: true once its body was handed to the connection. */
  arrived: boolean;
  refusal?: RefusalBody;
  cause?: unknown;
}

/** Why a call of `Sender` or its stream ended. The message is a sentence for people. */
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
