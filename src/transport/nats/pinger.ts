/** DESIGN 12: whether agents are at the broker, and how far away. A message to no stream is answered at once that there is none. */
import type { SendFailure } from '../transport.ts';
import { writeFrame } from './frame.ts';
import type { Link, Message } from './link.ts';
import { deniedWords, lostWords, NOT_CONNECTED, newSession, notReached, type Session } from './session.ts';
import { downSubject, downsOf, fitsSubject, parseStream, upSubject } from './subjects.ts';

interface Waiting {
  certname: string;
  answer(): void;
  fail(code: SendFailure, message: string): void;
}

export class Pinger {
  readonly #link: Link;
  readonly #ours: Session;
  /** By number. */
  readonly #waiting = new Map<string, Waiting>();
  #count = 0;

  constructor(link: Link, controller: string) {
    this.#link = link;
    this.#ours = newSession(controller);
    link.subscribe(downsOf(this.#ours), (message) => this.#receive(message));
    link.onLost((reason) => this.#failAll('broken', lostWords(reason)));
    link.onDenied((denial) => {
      const { operation, subject } = denial;
      const words = deniedWords(controller, denial);
      for (const [number, { certname, fail }] of [...this.#waiting]) {
        const own = operation === 'publish' ? this.#upOf(number, certname) : downsOf(this.#ours);
        if (subject === own) fail('no-answer', words);
      }
    });
  }

  /** Resolves to the milliseconds of the round trip. Throws `SendError`, never `arrived`. */
  ping(certname: string, { withinMs, signal }: { withinMs: number; signal: AbortSignal }): Promise<number> {
    return new Promise((resolve, reject) => {
      if (!fitsSubject(certname))
        throw notReached('no-such-name', 'its certname does not fit into a subject of NATS');
      this.#count += 1;
      const number = this.#count.toString(36);
      const startedAt = performance.now();
      const settle = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
        this.#waiting.delete(number);
      };
      const fail: Waiting['fail'] = (code, message) => {
        settle();
        reject(notReached(code, message));
      };
      const giveUp = () => fail('aborted', 'given up before the answer');
      const timer = setTimeout(() => fail('no-answer', 'it does not answer'), withinMs);
      signal.addEventListener('abort', giveUp, { once: true });
      const answer = () => {
        settle();
        resolve(performance.now() - startedAt);
      };
      this.#waiting.set(number, { certname, answer, fail });
      if (signal.aborted) giveUp();
      else this.#send(number, certname);
    });
  }

  #send(number: string, certname: string): void {
    const down = downSubject({ ...this.#ours, number, certname });
    this.#link.publish(this.#upOf(number, certname), writeFrame({ type: 'probe' }, 1), down);
  }

  #upOf(number: string, certname: string): string {
    return upSubject({ ...this.#ours, number, certname });
  }

  #receive({ subject, isUndeliverable }: Message): void {
    const name = parseStream(subject);
    const waiting = name === undefined ? undefined : this.#waiting.get(name.number);
    if (waiting === undefined || waiting.certname !== name?.certname) return;
    if (isUndeliverable) waiting.fail('connection-refused', NOT_CONNECTED);
    else waiting.answer();
  }

  #failAll(code: SendFailure, message: string): void {
    for (const { fail } of [...this.#waiting.values()]) fail(code, message);
  }
}
