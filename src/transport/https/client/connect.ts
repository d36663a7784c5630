/** A verified TLS connection to one agent, or in words why there is none. */
import { isIP, type TcpNetConnectOpts } from 'node:net';
import {
  type ConnectionOptions,
  connect,
  type DetailedPeerCertificate,
  type SecureContext,
  TLSSocket,
} from 'node:tls';
import { systemCode } from '../../../errors.ts';
import { isHostName } from '../../../protocol/names.ts';
import { formatDuration } from '../../../util/duration.ts';
import { SendError, type SendFailure, type Target } from '../../transport.ts';
import { certificateWords } from './certificate-words.ts';
import { checkServerName } from './server-name.ts';

/** Milliseconds for one of several addresses of a name, before the next is tried beside it. */
const ADDRESS_MS = 2000;

export interface ConnectOptions {
  secureContext: SecureContext;
  /** Name, TCP and TLS together. */
  connectMs: number;
  /** Called with the socket at once, so that it can be destroyed from outside. */
  onSocket: (socket: TLSSocket) => void;
}

/** Connects; throws `SendError`, never `arrived`. */
export function connectTo(target: Target, options: ConnectOptions): Promise<TLSSocket> {
  const { secureContext, connectMs, onSocket } = options;
  return new Promise((resolve, reject) => {
    const { certname, host, port } = target;
    // @types/node knows autoSelectFamilyAttemptTimeout for net only; node:tls hands it on.
    const connection: ConnectionOptions & TcpNetConnectOpts = {
      host,
      port,
      secureContext,
      // RFC 6066 3: an address is no server name, and neither is a certname that could not stand in the DNS.
      servername: isIP(certname) === 0 && isHostName(certname) ? certname : '',
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: true,
      autoSelectFamilyAttemptTimeout: ADDRESS_MS,
      checkServerIdentity: (_, certificate) => checkServerName(certname, certificate),
    };
    const socket = connect(connection);
    // Node spells the whole chain out in objects for checkServerIdentity, a quarter of the time that a
    // handshake takes here; ours needs the certificate itself. Not getPeerX509Certificate: in Node 20 each
    // call of it costs 7 kB of memory for good.
    socket.getPeerCertificate = () => certificateOf(socket);
    onSocket(socket);
    let stage: Stage = isIP(host) === 0 ? 'resolving' : 'connecting';
    let isOver = false;
    /** The connection stays watched when it is made: whoever uses it hears of errors there. */
    const fail = (failure: () => SendError) => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      socket.destroy();
      reject(failure());
    };
    const timer = setTimeout(() => fail(() => timedOut(stage, target, connectMs)), connectMs);
    socket.setNoDelay(true);
    socket.on('lookup', () => {
      if (stage === 'resolving') stage = 'connecting';
    });
    socket.on('connect', () => {
      stage = 'handshaking';
    });
    socket.on('error', (error) => fail(() => connectFailure(error, { stage, target, socket })));
    socket.on('close', () => fail(() => closedEarly(target, stage)));
    socket.once('secureConnect', () => {
      isOver = true;
      clearTimeout(timer);
      resolve(socket);
    });
  });
}

/** Without the chain, whatever Node asks for: the types have the chain where `true` is handed over. */
function certificateOf(socket: TLSSocket): DetailedPeerCertificate {
  return TLSSocket.prototype.getPeerCertificate.call(socket, false) as DetailedPeerCertificate;
}

type Stage = 'resolving' | 'connecting' | 'handshaking';

function connectFailure(
  error: Error,
  { stage, target, socket }: { stage: Stage; target: Target; socket: TLSSocket },
): SendError {
  if (error instanceof SendError) return error;
  const verdict: unknown = socket.authorizationError;
  const code = systemCode(error) ?? '';
  if (stage === 'handshaking' && verdict !== undefined && verdict !== null) {
    return failure('certificate', certificateWords(code, error.message), error);
  }
  const port = portOf(target);
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
      return failure('connection-refused', `${port} refused: kick agent is not running`, error);
    case 'ETIMEDOUT':
      return failure('no-answer', `no answer on ${port}: firewall?`, error);
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
      return failure('no-answer', `no route to "${target.host}" (${code})`, error);
    case 'EACCES':
    case 'EPERM':
      return failure('no-answer', `${port} may not be connected to from here (${code}): firewall?`, error);
  }
  if (code === 'ECONNRESET' || code === 'EPIPE') return closedEarly(target, stage, error);
  if (stage === 'handshaking') {
    return failure('garbage', `what answers on ${port} does not speak TLS 1.3 as kick agent does`, error);
  }
  return failure('no-answer', `no connection to ${port} (${code === '' ? error.message : code})`, error);
}

function closedEarly(target: Target, stage: Stage, cause?: Error): SendError {
  const when = stage === 'handshaking' ? 'during the TLS handshake' : 'at once';
  return failure('broken', `the connection to ${portOf(target)} was closed ${when}`, cause);
}

function timedOut(stage: Stage, target: Target, ms: number): SendError {
  const within = `within ${formatDuration(ms)}`;
  switch (stage) {
    case 'resolving':
      return failure('no-such-name', `the name "${target.host}" does not resolve ${within}`);
    case 'connecting':
      return failure('no-answer', `no answer on ${portOf(target)} ${within}: firewall?`);
    case 'handshaking':
      return failure('no-answer', `${portOf(target)} is open but does not answer ${within}`);
  }
}

/** `port 8139`, and where, when that is not the certname. */
function portOf({ certname, host, port }: Target): string {
  return host === certname ? `port ${port}` : `port ${port} of "${host}"`;
}

function failure(code: SendFailure, message: string, cause?: unknown): SendError {
  return new SendError(code, message, { arrived: false, cause });
}
