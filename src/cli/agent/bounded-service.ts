/** The agent's answers, a few at a time: whoever asks for all of them at once waits, and costs no more than one who asks them in turn. */
import type { AgentService } from '../../transport/transport.ts';
import { createPlaces } from '../../util/semaphore.ts';

export function boundedService(service: AgentService, atOnce: number): AgentService {
  const places = createPlaces(atOnce);
  const never = new AbortController().signal;
  const inTurn =
    <A extends unknown[], R>(answer: (...asked: A) => Promise<R>) =>
    async (...asked: A): Promise<R> => {
      await places.take(never);
      try {
        return await answer(...asked);
      } finally {
        places.giveBack();
      }
    };
  return {
    isController: service.isController,
    greet: inTurn(service.greet),
    submit: inTurn(service.submit),
    events: inTurn(service.events),
    status: inTurn(service.status),
    command: inTurn(service.command),
  };
}
