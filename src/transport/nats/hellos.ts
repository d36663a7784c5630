/** DESIGN 12: an agent says that it has come whenever it is connected, and controllers that wait for it ask it then. */
import type { Link } from './link.ts';
import { greeter, HELLOS, helloSubject } from './subjects.ts';

/** Says so now and after each new connection. */
export function sayHello(link: Link, certname: string): void {
  link.onConnected(() => link.publish(helloSubject(certname), new Uint8Array(0)));
}

/** Who waits for whom. A hello is a hint, which a broker may invent: it costs an attempt, and says nothing of the host. */
export class Hellos {
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(link: Link) {
    link.subscribe(HELLOS, ({ subject }) => {
      const certname = greeter(subject);
      if (certname !== undefined) for (const listener of [...(this.#waiting.get(certname) ?? [])]) listener();
    });
  }

  /** Returns what ends it. */
  on(certname: string, listener: () => void): () => void {
    const listeners = this.#waiting.get(certname) ?? new Set();
    this.#waiting.set(certname, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#waiting.get(certname) === listeners) this.#waiting.delete(certname);
    };
  }
}
