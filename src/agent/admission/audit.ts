/** The agent's audit log: one line for every accepted or refused request, and for every outcome. */
import { messageOf } from '../../errors.ts';
import type { FinishedEvent } from '../../protocol/event.ts';
import { Refusal, type RefusalCode } from '../../protocol/refusal.ts';
import type { Request } from '../../protocol/request.ts';
import type { Peer } from '../../transport/transport.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { quietLog } from '../../util/quiet-log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { RequestRecord } from '../requests/request-record.ts';
import type { Standing } from '../standing.ts';
import { signerOf } from './admit.ts';

export interface Audit {
  /** Serves a peer. Anything thrown becomes a `Refusal` with a line in the log; only its code is sent. */
  answer<T>(
    asked: { what: string; peer: Peer },
    work: (note: (fields: object) => void) => Promise<T>,
  ): Promise<T>;
  accepted(request: Request, line: { text: string; fields: object }): void;
  outcome(record: RequestRecord, finished: FinishedEvent): void;
}

/** Refusals of peers that are no controllers, which can ask as often as they like. */
const STRANGERS: readonly RefusalCode[] = ['controller-not-allowed', 'issuer'];

export interface AuditDeps {
  log: Log;
  metrics: Metrics;
  clock: Clock;
  standing: Pick<Standing, 'verify'>;
}

export function createAudit({ log, metrics, clock, standing }: AuditDeps): Audit {
  const quiet = quietLog(log, clock, { level: 'warn' });
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
        // Where no transport is believed, anybody may be who asks.
        if (STRANGERS.includes(code) || standing.verify !== undefined) quiet(line, `refused: ${code}`);
        else log.warn(line, `refused: ${code}`);
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
