/** Makes a verified TLS connection to an agent, or says why that is impossible. */
import { isIP, type TcpNetConnectOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  type ConnectionOptions,
  connect,
  type DetailedPeerCertificate,
  type SecureContext,
  TLSSocket,
} from 'node:tls';
import { systemCode } from '../../../errors.ts';
import type { DenyList } from '../../../pki/identity.ts';
import { isHostName } from '../../../protocol/names.ts';
import { after } from '../../../util/clock.ts';
import { formatDuration } from '../../../util/duration.ts';
import { certificateWords } from '../../tls/certificate-words.ts';
import { SendError, type SendFailure, type Target } from '../../transport.ts';
import { checkDenied, checkServerName } from './server-name.ts';

/** Milliseconds before the next address of a name is tried in parallel. */
const ADDRESS_MS = 2000;

export interface ConnectOptions {
  secureContext: SecureContext;
  /** Hosts that are not believed. */
  denied?: DenyList | undefined;
  /** Name, TCP and TLS together. */
  connectMs: number;
  /** Called with the socket at once, so that the caller can destroy it. */
  onSocket: (socket: TLSSocket) => void;
  /** A stream to the agent, instead of a connection to its port. */
  stream?: Duplex;
}

export interface DirectOptions {
  secureContext: SecureContext;
  denied?: DenyList | undefined;
  /** Milliseconds for the whole way: name and TCP, or broker; and TLS. */
  connectMs: number;
}

export interface ReachCall {
  signal: AbortSignal;
  /** Called with each socket at once, so that the caller can destroy it. */
  onSocket: (socket: TLSSocket) => void;
}

/** Throws `SendError`, never `arrived`. */
export type Reach = (target: Target, call: ReachCall) => Promise<TLSSocket>;

/** Connections to the hosts' ports. */
export function directReach(options: DirectOptions): Reach {
  return async (target, { onSocket }) => {
    if (target.via === 'nats') throw new SendError('no-answer', NO_BROKER, { arrived: false });
    return connectTo(target, { ...options, onSocket });
  };
}

const NO_BROKER = 'the host is reached through NATS, and controller.yaml names no servers';

/** Connects; throws `SendError`, never `arrived`. */
export function connectTo(target: Target, options: ConnectOptions): Promise<TLSSocket> {
  const { secureContext, denied, connectMs, onSocket, stream } = options;
  return new Promise((resolve, reject) => {
    const { certname, host, port } = target;
    const where = stream === undefined ? portOf(target) : 'the stream through the broker';
    // @types/node has autoSelectFamilyAttemptTimeout for net only; node:tls passes it on.
    const connection: ConnectionOptions & TcpNetConnectOpts = {
      ...(stream !== undefined && { socket: stream }),
      host,
      port,
      secureContext,
      // RFC 6066 3: neither an address nor a certname that cannot be in the DNS is a valid server name.
      servername: isIP(certname) === 0 && isHostName(certname) ? certname : '',
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: true,
      autoSelectFamilyAttemptTimeout: ADDRESS_MS,
      checkServerIdentity: (_, certificate) =>
        checkServerName(certname, certificate) ?? checkDenied(certificate, denied),
    };
    const socket = connect(connection);
    // For checkServerIdentity, Node converts the whole chain to objects, which takes a quarter of the handshake;
    // ours only needs the certificate itself. Not getPeerX509Certificate: in Node 20 each call leaks 7 kB.
    socket.getPeerCertificate = () => certificateOf(socket);
    onSocket(socket);
    let stage: Stage = stream !== undefined ? 'handshaking' : isIP(host) === 0 ? 'resolving' : 'connecting';
    let isOver = false;
    /** The error handler stays on the connection; its user handles errors as well. */
    const fail = (failure: () => SendError) => {
      if (isOver) return;
      isOver = true;
      cancel();
      socket.destroy();
      reject(failure());
    };
    const cancel = after(connectMs, () => fail(() => timedOut(stage, { target, where, ms: connectMs })));
    socket.setNoDelay(true);
    socket.on('lookup', () => {
      if (stage === 'resolving') stage = 'connecting';
    });
    socket.on('connect', () => {
      stage = 'handshaking';
    });
    socket.on('error', (error) => fail(() => connectFailure(error, { stage, target, where, socket })));
    socket.on('close', () => fail(() => closedEarly(where, stage)));
    socket.once('secureConnect', () => {
      isOver = true;
      cancel();
      resolve(socket);
    });
  });
}

/** Without the chain, even if Node asks for it with `true`; the types differ in that. */
function certificateOf(socket: TLSSocket): DetailedPeerCertificate {
  return TLSSocket.prototype.getPeerCertificate.call(socket, false) as DetailedPeerCertificate;
}

type Stage = 'resolving' | 'connecting' | 'handshaking';

function connectFailure(
  error: Error,
  { stage, target, where, socket }: { stage: Stage; target: Target; where: string; socket: TLSSocket },
): SendError {
  if (error instanceof SendError) return error;
  const verdict: unknown = socket.authorizationError;
  const code = systemCode(error) ?? '';
  if (stage === 'handshaking' && verdict !== undefined && verdict !== null) {
    return failure('certificate', certificateWords(code, error.message), error);
  }
  switch (code) {
    case 'ENOTFOUND':
    case 'ENODATA':
      return failure('no-such-name', `the name "${target.host}" does not resolve`, error);
    case 'EAI_AGAIN':
      return failure(
        'no-such-name',
        `the name "${target.host}" does not resolve now: the name server does not answer`,
        error,
      );
    case 'ECONNREFUSED':
      return failure('connection-refused', `${where} refused: kick agent is not running`, error);
    case 'ETIMEDOUT':
      return failure('no-answer', `no answer on ${where}: firewall?`, error);
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
      return failure('no-answer', `no route to "${target.host}" (${code})`, error);
    case 'EACCES':
    case 'EPERM':
      return failure('no-answer', `${where} may not be connected to from here (${code}): firewall?`, error);
  }
  if (code === 'ECONNRESET' || code === 'EPIPE') return closedEarly(where, stage, error);
  if (stage === 'handshaking') {
    return failure('garbage', `what answers on ${where} does not speak TLS 1.3 as kick agent does`, error);
  }
  return failure('no-answer', `no connection to ${where} (${code === '' ? error.message : code})`, error);
}

function closedEarly(where: string, stage: Stage, cause?: Error): SendError {
  const when = stage === 'handshaking' ? 'during the TLS handshake' : 'at once';
  return failure('broken', `the connection to ${where} was closed ${when}`, cause);
}

function timedOut(
  stage: Stage,
  { target, where, ms }: { target: Target; where: string; ms: number },
): SendError {
  const within = `within ${formatDuration(ms)}`;
  switch (stage) {
    case 'resolving':
      return failure('no-such-name', `the name "${target.host}" does not resolve ${within}`);
    case 'connecting':
      return failure('no-answer', `no answer on ${where} ${within}: firewall?`);
    case 'handshaking':
      return failure('no-answer', `${where} is open but does not answer ${within}`);
  }
}

/** `port 8139`, and the host, if it is not the certname. */
function portOf({ certname, host, port }: Target): string {
  return host === certname ? `port ${port}` : `port ${port} of "${host}"`;
}

function failure(code: SendFailure, message: string, cause?: unknown): SendError {
  return new SendError(code, message, { arrived: false, cause });
}
