/** Mutual TLS 1.3 and HTTP/1.1 within limits, for agents and the CA. */
import type { ServerOptions } from 'node:https';
import type { Identity } from '../../pki/identity.ts';
import { tlsOptions } from '../tls/options.ts';
import type { ListenerLimits } from './limits.ts';

export function serverOptions(identity: Identity, limits: ListenerLimits): ServerOptions {
  return {
    ...tlsOptions(identity),
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: limits.handshakeMs,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: limits.checkEveryMs,
    maxHeaderSize: limits.headerBytes,
    noDelay: true,
  };
}
