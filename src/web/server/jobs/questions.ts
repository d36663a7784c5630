/** What jobs ask between two batches, until somebody answers. */
export interface Questions {
  /** Resolves to the answer; to false if `signal` aborts first. */
  ask(id: string, text: string, signal: AbortSignal): Promise<boolean>;
  of(id: string): string | undefined;
  /** Returns false if the job asks nothing. */
  answer(id: string, goOn: boolean): boolean;
}

export function createQuestions(): Questions {
  const open = new Map<string, { text: string; answer(goOn: boolean): void }>();
  return {
    ask: (id, text, signal) =>
      new Promise((resolve) => {
        const answer = (goOn: boolean) => {
          open.delete(id);
          resolve(goOn);
        };
        open.set(id, { text, answer });
        signal.addEventListener('abort', () => answer(false), { once: true });
      }),
    of: (id) => open.get(id)?.text,
    answer(id, goOn) {
      const question = open.get(id);
      question?.answer(goOn);
      return question !== undefined;
    },
  };
}
