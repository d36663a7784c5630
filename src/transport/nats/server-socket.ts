/**
 * The socket of a connection to a broker, below the official client. The client's own reads whatever a server sends: without
 * end before TLS, and without limits behind it. Here nothing is read faster than it is used, and nothing that `ServerLines`
 * refuses.
 */
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, TLSSocket } from 'node:tls';
import type { ConnectionOptions as CoreOptions, Server } from '@nats-io/nats-core';
import type { Transport } from '@nats-io/nats-core/internal';
import { sleep } from '../../util/clock.ts';
import { greetingOf, ServerLines } from './server-lines.ts';

/** Bytes that a server may leave unread: many streams' windows. */
const MAX_UNREAD_BYTES = 64 << 20;

/** The client hands on what it does not know. */
export interface ClientOptions extends CoreOptions {
  /** The most of our time that what comes may take, from 0 to 1. */
  share: number;
  /** Called with the end of the server's certificate, milliseconds since 1970. */
  onCertificate?: (ends: number) => void;
}

/** A rest that is worth a timer, milliseconds. */
const LEAST_REST_MS = 5;

export class ServerSocket implements Transport {
  readonly lang = 'nats.js';
  readonly version = '3.4.0';
  closeError?: Error;
  #socket: Socket | undefined;
  #greeting: Buffer = Buffer.alloc(0);
  #share = 1;
  #isConnected = false;
  #isDone = false;
  readonly #lines = new ServerLines();
  #end: () => void = () => {};
  readonly #ended = new Promise<void>((resolve) => {
    this.#end = resolve;
  });

  get isClosed(): boolean {
    return this.#isDone;
  }

  isEncrypted(): boolean {
    return this.#socket instanceof TLSSocket;
  }

  /** `tls`: null, or options for node:tls. Rejects with what stood against it. */
  async connect({ hostname, port }: Server, options: CoreOptions): Promise<void> {
    const { tls, share, onCertificate } = options as ClientOptions;
    this.#share = share;
    try {
      const plain = this.#use(connect({ host: hostname, port, noDelay: true }));
      this.#greeting = await greeting(plain, this.#lines);
      const { hasTls, needsTls } = greetingOf(this.#greeting.toString('latin1'));
      if (tls && !hasTls) throw new Error('the server has no TLS');
      if (!tls && needsTls) throw new Error('the server requires TLS');
      if (tls) {
        const socket = this.#use(connectTls({ ...(tls as ConnectionOptions), socket: plain }));
        await secured(socket);
        onCertificate?.(Date.parse(socket.getPeerCertificate().valid_to));
      }
      this.#isConnected = true;
    } catch (error) {
      this.#socket?.destroy();
      throw error;
    }
  }

  #use<S extends Socket>(socket: S): S {
    this.#socket = socket;
    socket.on('error', () => {}); // whoever waits hears of it as well
    if (this.#isDone) socket.destroy();
    return socket;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    let failure: unknown;
    try {
      yield this.#greeting;
      let restMs = 0;
      for await (const bytes of this.#socket ?? []) {
        const startedAt = performance.now();
        this.#lines.check(bytes);
        yield bytes;
        restMs += (performance.now() - startedAt) * (1 / this.#share - 1);
        if (restMs < LEAST_REST_MS) continue;
        await sleep(restMs);
        restMs = 0;
      }
    } catch (error) {
      failure = error;
    } finally {
      await this.close(failure instanceof Error ? failure : undefined);
    }
  }

  send(frame: Uint8Array): void {
    const socket = this.#socket;
    if (socket === undefined || socket.destroyed) return;
    socket.write(frame);
    if (socket.writableLength > MAX_UNREAD_BYTES) socket.destroy(new Error('it does not read'));
  }

  async close(error?: Error): Promise<void> {
    if (this.#isDone) return;
    this.#isDone = true;
    if (error !== undefined) this.closeError = error;
    this.#socket?.destroy();
    // Of an attempt that failed, the client knows.
    if (this.#isConnected) this.#end();
  }

  disconnect(): void {
    void this.close();
  }

  discard(): void {
    this.#isDone = true;
    this.#socket?.destroy();
  }

  closed(): Promise<void> {
    return this.#ended;
  }
}

/** The line with which a server begins, and nothing behind it: what comes before TLS anybody may have sent. */
function greeting(socket: Socket, lines: ServerLines): Promise<Buffer> {
  const parts: Buffer[] = [];
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => {
      socket.pause();
      socket.off('data', take).off('error', reject).off('close', closed);
      end();
    };
    const take = (bytes: Buffer) => {
      parts.push(bytes);
      try {
        lines.check(bytes);
      } catch (error) {
        settle(() => reject(error));
        return;
      }
      const end = bytes.indexOf('\n');
      if (end === bytes.byteLength - 1) settle(() => resolve(Buffer.concat(parts)));
      else if (end >= 0) settle(() => reject(new Error('it is no NATS server')));
    };
    const closed = () => reject(new Error('it closed the connection'));
    socket.on('data', take).on('error', reject).on('close', closed);
  });
}

function secured(socket: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject).once('close', () => reject(new Error('it closed the connection')));
    socket.once('secureConnect', resolve);
  });
}
