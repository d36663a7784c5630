/** DESIGN 12, discovery: questions to all agents at a broker, and what comes back. */
import type { Crowd, CrowdListener } from '../transport.ts';
import type { Link } from './link.ts';
import { deniedWords, lostWords, newSession, type Session } from './session.ts';
import {
  answerer,
  answerSubject,
  answersTo,
  controllerToken,
  QUESTIONS,
  questionSubject,
} from './subjects.ts';

/** The controller's side. */
export class NatsCrowd implements Crowd {
  readonly #link: Link;
  readonly #ours: Session;
  readonly #listeners = new Set<CrowdListener>();

  constructor(link: Link, controller: string) {
    this.#link = link;
    this.#ours = newSession(controller);
    link.subscribe(answersTo(this.#ours), ({ subject, data, isUndeliverable }) => {
      const certname = answerer(subject);
      if (certname === undefined) return;
      for (const listener of this.#listeners) {
        if (isUndeliverable) listener.onNobody();
        else listener.onAnswer(certname, data);
      }
    });
    link.onLost((reason) => this.#fail(lostWords(reason)));
    link.onDenied((denial) => {
      const { subject } = denial;
      if (subject !== questionSubject(this.#ours.controller) && subject !== answersTo(this.#ours)) return;
      this.#fail(deniedWords(controller, denial));
    });
  }

  get session(): string {
    return this.#ours.session;
  }

  ready(options: { withinMs: number; signal: AbortSignal }): Promise<void> {
    return this.#link.ready(options);
  }

  ask(question: Uint8Array, listener: CrowdListener): () => void {
    this.#listeners.add(listener);
    const nobody = answerSubject({ ...this.#ours, certname: 'nobody' });
    this.#link.publish(questionSubject(this.#ours.controller), question, nobody);
    return () => void this.#listeners.delete(listener);
  }

  #fail(reason: string): void {
    for (const listener of [...this.#listeners]) listener.onFailure(reason);
  }
}

export interface SealedAnswer {
  /** Who asked, by certname, and on which connection. */
  controller: string;
  session: string;
  body: Uint8Array;
}

/** The agent's side: `answer` returns undefined if there is nothing to say, and never rejects. */
export function answerQuestions(
  link: Link,
  certname: string,
  answer: (question: Uint8Array) => Promise<SealedAnswer | undefined>,
): void {
  const reply = async (question: Uint8Array) => {
    const sealed = await answer(question);
    if (sealed === undefined) return;
    const { controller, session, body } = sealed;
    link.publish(answerSubject({ controller: controllerToken(controller), session, certname }), body);
  };
  link.subscribe(QUESTIONS, ({ data, isUndeliverable }) => {
    // An empty one: whether it may be asked is all that kick nats config --check wants to know.
    if (!isUndeliverable && data.byteLength > 0) void reply(data);
  });
}
