/** The agent's audit log: one line for every request that is accepted or refused, and for every outcome. */
import { messageOf } from '../../errors.ts';
import type { FinishedEvent } from '../../protocol/event.ts';
import { Refusal } from '../../protocol/refusal.ts';
import type { Request } from '../../protocol/request.ts';
import type { Peer } from '../../transport/transport.ts';
import type { Log } from '../../util/log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { RequestRecord } from '../requests/request-record.ts';
import { signerOf } from './admit.ts';

export interface Audit {
  /** Does what a peer asks for. Whatever is thrown becomes a `Refusal`: one line, and only its code is sent. */
  answer<T>(
    asked: { what: string; peer: Peer },
    work: (note: (fields: object) => void) => Promise<T>,
  ): Promise<T>;
  accepted(request: Request, line: { text: string; fields: object }): void;
  outcome(record: RequestRecord, finished: FinishedEvent): void;
}

export function createAudit({ log, metrics }: { log: Log; metrics: Metrics }): Audit {
  return {
    async answer({ what, peer }, work) {
      let fields: object = {};
      try {
        return await work((more) => {
          fields = more;
        });
      } catch (error) {
        const refusal = error instanceof Refusal ? error : new Refusal('internal', messageOf(error));
        const { code, message } = refusal;
        metrics.refused(code);
        const line = { audit: 'refused', what, peer: peer.address, code, detail: message, ...fields };
        log.warn(line, `refused: ${code}`);
        throw refusal;
      }
    },
    accepted(request, { text, fields }) {
      log.info({ audit: 'accepted', ...signerOf(request), action: request.action, ...fields }, text);
    },
    outcome({ request, acceptedAt }, finished) {
      const { outcome, run, message } = finished;
      metrics.finished(acceptedAt, finished);
      log.info({ audit: 'outcome', ...signerOf(request), outcome, run, message }, `outcome: ${outcome}`);
    },
  };
}
