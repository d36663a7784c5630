/** What streams and discovery need of a connection to a broker; connection.ts makes one. */

export interface Message {
  subject: string;
  data: Uint8Array;
  /** Where an answer is expected. */
  reply?: string;
  /** The broker's word that nobody listens on the subject of ours that this answers. */
  isUndeliverable: boolean;
}

/** A broker refused a subject to us. */
export interface Denial {
  operation: 'publish' | 'subscribe';
  subject: string;
}

export type LinkState = 'connecting' | 'connected' | 'closed';

export interface LinkStatus {
  state: LinkState;
  /** `nats1.example.com:4222`; while connected. */
  server?: string;
  /** Why the last attempt failed; while not connected. */
  reason?: string;
  /** How often the connection was made again. */
  reconnects: number;
  /** When the server's certificate expires, milliseconds since 1970; while connected with TLS. */
  certificateEnds?: number;
}

export interface Link {
  status(): LinkStatus;
  /** Resolves once connected; rejects with the reason after so many milliseconds, or when the signal aborts. */
  ready(options: { withinMs: number; signal: AbortSignal }): Promise<void>;
  /** Sends, if connected. With `reply` the broker says there if nobody listens. */
  publish(subject: string, data: Uint8Array, reply?: string): void;
  /** Also after the connection was made again. Returns a function that ends it. */
  subscribe(subject: string, onMessage: (message: Message) => void): () => void;
  /** Called when the connection is lost, or is about to be closed: whatever was under way is lost with it. */
  onLost(listener: (reason: string) => void): () => void;
  /** Called whenever the connection is made. */
  onConnected(listener: () => void): void;
  onDenied(listener: (denial: Denial) => void): () => void;
}
