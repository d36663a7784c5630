/**
 * DESIGN 12, a stream: bytes in both directions over two subjects. A broker may lose, repeat, reorder or invent messages;
 * TLS above it notices what is changed, and here a message that does not follow the one before breaks the stream.
 */
import { Duplex } from 'node:stream';
import { type Frame, MAX_DATA_BYTES, type NumberedFrame, readFrame, writeFrame } from './frame.ts';

/** Bytes that may be under way in one direction before the reader has consumed any. */
export const WINDOW_BYTES = 256 << 10;

export interface StreamOptions {
  /** Sends a message to the other end. */
  send(message: Uint8Array): void;
  /** Called once, when the stream is over. */
  onClose(): void;
  /** Where the other end is, for limits and for the log; see `HandshakeGate`. */
  remoteAddress: string;
  remotePort: number;
}

export class NatsStream extends Duplex {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #options: StreamOptions;
  #sent = 0;
  #received = 0;
  /** Bytes that the other end takes now. */
  #credit = WINDOW_BYTES;
  /** Bytes that we take now, and those that were read since we last said so. */
  #window = WINDOW_BYTES;
  #consumed = 0;
  /** Arrived, not yet read. */
  readonly #arrived: Uint8Array[] = [];
  #hasEnded = false;
  #isSendingOver = false;
  #waiting: { chunk: Uint8Array; done: (error?: Error | null) => void } | undefined;
  #isWanted = false;
  /** Whether the other end is known to be gone, so that it need not be told. */
  #isGone = false;

  constructor(options: StreamOptions) {
    super({
      allowHalfOpen: true,
      readableHighWaterMark: MAX_DATA_BYTES,
      writableHighWaterMark: MAX_DATA_BYTES,
    });
    this.#options = options;
    this.remoteAddress = options.remoteAddress;
    this.remotePort = options.remotePort;
  }

  /** A message for this stream; anything that is not the next one ends it. */
  receive(message: Uint8Array): void {
    if (this.destroyed) return;
    const frame = readFrame(message);
    if (frame === undefined) {
      this.break('what came is not a message of a stream');
      return;
    }
    if (frame.type === 'reset') {
      this.lose(`the other end broke the stream: ${frame.reason}`);
      return;
    }
    const expected = following(this.#received);
    if (frame.number !== expected) {
      this.break(`message ${frame.number} came instead of ${expected}`);
      return;
    }
    this.#received = expected;
    this.#take(frame);
  }

  /** Ends the stream at once, at both ends. */
  break(reason: string): void {
    this.destroy(broken(reason));
  }

  /** The other end is gone. */
  lose(reason: string): void {
    this.#isGone = true;
    // As with TCP: what has arrived before an orderly end is still read; what is written now is lost.
    if (this.#hasEnded) this.#flush();
    else this.destroy(broken(reason));
  }

  /** Tells the controller that its stream was taken. */
  accept(): void {
    this.#send({ type: 'accept' });
  }

  /** Asks the broker whether the other end still listens. */
  probe(): void {
    if (!this.destroyed && !this.#isSendingOver && !this.#hasEnded) this.#send({ type: 'probe' });
  }

  /** As node:net's: without waiting for what was not sent yet. */
  resetAndDestroy(): this {
    return this.destroy();
  }

  override _read(): void {
    this.#isWanted = true;
    this.#deliver();
  }

  override _write(chunk: Uint8Array, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#waiting = { chunk, done };
    this.#flush();
  }

  override _final(done: (error?: Error | null) => void): void {
    if (!this.#isGone) this.#send({ type: 'end' });
    this.#isSendingOver = true;
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const isOrderly = this.#isSendingOver && error === null;
    if (!this.#isGone && !isOrderly) this.#send({ type: 'reset', reason: error?.message ?? 'closed' });
    this.#arrived.length = 0;
    this.#waiting = undefined;
    this.#options.onClose();
    done(error);
  }

  #take(frame: Exclude<NumberedFrame, { type: 'reset' }>): void {
    switch (frame.type) {
      case 'data':
        this.#takeData(frame.data);
        return;
      case 'credit':
        if (frame.bytes > WINDOW_BYTES - this.#credit) {
          this.break('more credit than was used');
          return;
        }
        this.#credit += frame.bytes;
        this.#flush();
        return;
      case 'end':
        this.#hasEnded = true;
        this.#deliver();
        return;
      case 'accept':
        this.emit('accepted');
        return;
      case 'probe':
        return;
    }
  }

  #takeData(data: Uint8Array): void {
    if (this.#hasEnded) {
      this.break('data came after the end');
      return;
    }
    if (data.byteLength > this.#window) {
      this.break('more came than was allowed');
      return;
    }
    this.#window -= data.byteLength;
    this.#arrived.push(data);
    this.#deliver();
  }

  #deliver(): void {
    while (this.#isWanted) {
      const data = this.#arrived.shift();
      if (data === undefined) break;
      this.#isWanted = false;
      if (this.push(data)) this.#isWanted = true;
      this.#consume(data.byteLength);
    }
    if (this.#hasEnded && this.#arrived.length === 0 && !this.readableEnded) this.push(null);
  }

  /** Says so when half the window was read. */
  #consume(bytes: number): void {
    this.#consumed += bytes;
    if (this.#consumed < WINDOW_BYTES / 2 || this.destroyed || this.#hasEnded) return;
    this.#send({ type: 'credit', bytes: this.#consumed });
    this.#window += this.#consumed;
    this.#consumed = 0;
  }

  #flush(): void {
    while (this.#waiting !== undefined && (this.#credit > 0 || this.#isGone)) {
      const { chunk, done } = this.#waiting;
      const bytes = this.#isGone
        ? chunk.byteLength
        : Math.min(chunk.byteLength, this.#credit, MAX_DATA_BYTES);
      if (bytes > 0 && !this.#isGone) this.#send({ type: 'data', data: chunk.subarray(0, bytes) });
      this.#credit -= bytes;
      if (bytes < chunk.byteLength) {
        this.#waiting = { chunk: chunk.subarray(bytes), done };
        continue;
      }
      this.#waiting = undefined;
      done();
    }
  }

  #send(frame: Frame): void {
    this.#sent = following(this.#sent);
    this.#options.send(writeFrame(frame, this.#sent));
  }
}

/** Numbers have 32 bits. */
const following = (number: number) => (number + 1) >>> 0;

/** What to answer to a message of a stream that is not known here, if anything: its other end must not go on. */
export function answerToUnknown(message: Uint8Array): Uint8Array | undefined {
  const frame = readFrame(message);
  if (frame === undefined || frame.type === 'reset') return undefined;
  return writeFrame({ type: 'reset', reason: 'no such stream' }, 0);
}

/** As the operating system says it of a connection. */
const broken = (reason: string) => Object.assign(new Error(reason), { code: 'ECONNRESET' });
