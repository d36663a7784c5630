/** DESIGN 12, the controller's side: streams to agents that listen at a broker. */

import type { Duplex } from 'node:stream';
import { messageOf } from '../../errors.ts';
import type { StreamDialler } from '../transport.ts';
import { type Dialled, untilAccepted } from './dialled.ts';
import type { Denial, Link, Message } from './link.ts';
import { deniedWords, lostWords, NOT_CONNECTED, newSession, notReached, type Session } from './session.ts';
import { answerToUnknown, NatsStream } from './stream.ts';
import { dialSubject, downSubject, downsOf, fitsSubject, parseStream, upSubject } from './subjects.ts';

/** A stream that has been silent for so long is asked for: a broker tells at once if its agent is gone. */
const PROBE_MS = 5000;

export class NatsDialler implements StreamDialler {
  readonly #link: Link;
  readonly #controller: string;
  /** Of the subjects of all our streams. */
  readonly #ours: Session;
  /** By number. */
  readonly #open = new Map<string, Dialled>();
  #count = 0;
  #prober: NodeJS.Timeout | undefined;

  constructor(link: Link, controller: string) {
    this.#link = link;
    this.#controller = controller;
    this.#ours = newSession(controller);
    link.subscribe(downsOf(this.#ours), (message) => this.#receive(message));
    link.onLost((reason) => this.#lose(lostWords(reason)));
    link.onDenied((denial) => this.#deny(denial));
  }

  async dial(
    certname: string,
    { withinMs, signal }: { withinMs: number; signal: AbortSignal },
  ): Promise<Duplex> {
    if (!fitsSubject(certname)) {
      throw notReached('no-such-name', 'its certname does not fit into a subject of NATS: reach it directly');
    }
    const startedAt = performance.now();
    try {
      await this.#link.ready({ withinMs, signal });
    } catch (error) {
      throw notReached('no-answer', messageOf(error));
    }
    const dialled = this.#begin(certname);
    const { name } = dialled;
    const leftMs = Math.max(1, withinMs - (performance.now() - startedAt));
    const accepted = untilAccepted(dialled, { leftMs, withinMs, signal });
    this.#link.publish(dialSubject(name), NOTHING, downSubject(name));
    return accepted;
  }

  #begin(certname: string): Dialled {
    this.#count += 1;
    const name = { ...this.#ours, number: this.#count.toString(36), certname };
    const [up, down] = [upSubject(name), downSubject(name)];
    const stream = new NatsStream({
      send: (message) => this.#link.publish(up, message, down),
      onClose: () => this.#forget(name.number),
      remoteAddress: `nats:${certname}`,
      remotePort: this.#count,
    });
    stream.on('error', () => {}); // its user handles errors as well
    this.#prober ??= setInterval(() => this.#probe(), PROBE_MS).unref();
    const dialled: Dialled = { name, stream, fail: () => {}, heardAt: performance.now() };
    this.#open.set(name.number, dialled);
    return dialled;
  }

  #forget(number: string): void {
    this.#open.delete(number);
    if (this.#open.size > 0) return;
    clearInterval(this.#prober);
    this.#prober = undefined;
  }

  #receive({ subject, data, isUndeliverable }: Message): void {
    const name = parseStream(subject);
    if (name === undefined) return;
    const dialled = this.#open.get(name.number);
    if (dialled === undefined || dialled.name.certname !== name.certname) {
      const answer = isUndeliverable ? undefined : answerToUnknown(data);
      if (answer !== undefined) this.#link.publish(upSubject(name), answer);
      return;
    }
    dialled.heardAt = performance.now();
    if (!isUndeliverable) {
      dialled.stream.receive(data);
      return;
    }
    dialled.fail('connection-refused', NOT_CONNECTED);
    dialled.stream.lose('kick agent is no longer connected to the broker');
  }

  #lose(reason: string): void {
    for (const { stream, fail } of [...this.#open.values()]) {
      fail('broken', reason);
      stream.break(reason);
    }
  }

  #deny(denial: Denial): void {
    const { operation, subject } = denial;
    const words = deniedWords(this.#controller, denial);
    for (const { name, fail } of [...this.#open.values()]) {
      if (subject === (operation === 'publish' ? dialSubject(name) : downsOf(this.#ours)))
        fail('no-answer', words);
    }
  }

  #probe(): void {
    const silentSince = performance.now() - PROBE_MS;
    for (const { stream, heardAt } of [...this.#open.values()]) if (heardAt < silentSince) stream.probe();
  }
}

const NOTHING = new Uint8Array(0);
