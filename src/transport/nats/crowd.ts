/** DESIGN 12, discovery: questions to all agents at a broker, and what comes back. */
import type { Asked, Crowd, CrowdListener } from '../transport.ts';
import type { Link } from './link.ts';
import { deniedWords, lostWords, newSession, type Session } from './session.ts';
import {
  answerer,
  answerSubject,
  answersTo,
  controllerToken,
  fitsSubject,
  QUESTIONS,
  questionSubject,
  upSubject,
} from './subjects.ts';

/** Where the broker says that nobody listens to a question. */
const NOBODY = 'nobody';

const NOTHING = new Uint8Array(0);

/** The controller's side. */
export class NatsCrowd implements Crowd {
  readonly #link: Link;
  readonly #ours: Session;
  readonly #listeners = new Set<CrowdListener>();
  readonly #ends: readonly (() => void)[];

  constructor(link: Link, controller: string) {
    this.#link = link;
    this.#ours = newSession(controller);
    const answers = link.subscribe(answersTo(this.#ours), ({ subject, data, isUndeliverable }) => {
      const certname = answerer(subject);
      if (certname === undefined) return;
      for (const listener of this.#listeners) {
        if (!isUndeliverable) listener.onAnswer(certname, data);
        else if (certname === NOBODY) listener.onNobody();
        else listener.onAbsent(certname);
      }
    });
    const lost = link.onLost((reason) => this.#fail(lostWords(reason)));
    const denied = link.onDenied((denial) => {
      const { subject } = denial;
      if (subject !== questionSubject(this.#ours.controller) && subject !== answersTo(this.#ours)) return;
      this.#fail(deniedWords(controller, denial));
    });
    this.#ends = [answers, lost, denied];
  }

  /** The link stays. */
  close(): void {
    for (const end of this.#ends) end();
  }

  get session(): string {
    return this.#ours.session;
  }

  ready(options: { withinMs: number; signal: AbortSignal }): Promise<void> {
    return this.#link.ready(options);
  }

  ask(question: Uint8Array, listener: CrowdListener): Asked {
    this.#listeners.add(listener);
    const nobody = answerSubject({ ...this.#ours, certname: NOBODY });
    this.#link.publish(questionSubject(this.#ours.controller), question, nobody);
    return {
      seek: (certnames) => {
        for (const certname of certnames) this.#seek(certname, listener);
      },
      end: () => void this.#listeners.delete(listener),
    };
  }

  /** By a message to no stream, which its agent passes over in silence. */
  #seek(certname: string, listener: CrowdListener): void {
    if (!fitsSubject(certname)) listener.onAbsent(certname);
    else if (certname !== NOBODY) {
      const up = upSubject({ ...this.#ours, number: '0', certname });
      this.#link.publish(up, NOTHING, answerSubject({ ...this.#ours, certname }));
    }
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
