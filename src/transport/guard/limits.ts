/** What a connection may cost before its TLS handshake is done, on every way in: milliseconds, counts. */
export const GATE_LIMITS = {
  handshakeMs: 5000,
  checkEveryMs: 1000,
  /** Connections that have not finished their handshake; an idle one costs a socket. */
  handshakes: 512,
  handshakesAtOnce: 64,
  handshakesLate: 64,
  turnMs: 500,
  handshakeGraceMs: 250,
  betterGraceMs: 100,
  keptPerKnown: 16,
};

/** Connections that the kernel keeps until we take them. */
export const BACKLOG = 4096;
