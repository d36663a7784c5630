/** What connections may cost before and after TLS, on every way in. */

export interface GateLimits {
  /** Maximum milliseconds from the connection to the end of its handshake. */
  handshakeMs: number;
  checkEveryMs: number;
  /** Maximum number of connections that have not finished it. */
  handshakes: number;
  /** Maximum number of these in TLS. */
  handshakesAtOnce: number;
  /** Maximum number of those whose turn has not come within `turnMs`. */
  handshakesLate: number;
  turnMs: number;
  /** Milliseconds in which a slow connection does not yet count as idle. */
  handshakeGraceMs: number;
  /** The same for one in TLS whose place a known address wants, from which somebody has asked who may, or one with fewer failures. */
  betterGraceMs: number;
  /** Places reserved for a known address. */
  keptPerKnown: number;
}

/** What a connection may cost before its TLS handshake is done, on every way in: milliseconds, counts. */
export const GATE_LIMITS: GateLimits = {
  handshakeMs: 5000,
  checkEveryMs: 1000,
  handshakes: 512,
  handshakesAtOnce: 192,
  handshakesLate: 64,
  turnMs: 200,
  handshakeGraceMs: 250,
  betterGraceMs: 100,
  keptPerKnown: 16,
};

/** Connections that the kernel keeps until we take them. */
export const BACKLOG = 4096;
