/** What an agent answers, whatever transport carries it (transport.ts): runs, events, status, commands. */
import type { Request } from '../protocol/request.ts';
import type { AgentStatus } from '../protocol/status.ts';
import type { AgentService } from '../transport/transport.ts';
import type { Accept } from './admission/accept.ts';
import { type AdmitFor, admit } from './admission/admit.ts';
import type { Audit } from './admission/audit.ts';
import { checkReader } from './admission/checks.ts';
import type { RunChecks } from './admission/run-checks.ts';
import type { Commands } from './commands.ts';
import type { Metrics } from './metrics/metrics.ts';
import { requestName } from './requests/request-record.ts';
import type { RequestStreams } from './requests/request-streams.ts';
import type { Standing } from './standing.ts';
import type { Asked } from './status.ts';

export interface ServiceDeps {
  standing: Standing;
  audit: Audit;
  checks: RunChecks;
  accept: Accept;
  streams: RequestStreams;
  commands: Commands;
  statusOf(asked: Asked): Promise<AgentStatus>;
  metrics: Pick<Metrics, 'changed'>;
}

/** Commands have no key, and do not wait: commands.ts remembers those that it has carried out. */
const COMMANDS: AdmitFor<Request['action']> = {
  checkOperation: (request) => request,
  isKnown: async () => false,
  checkQueue: async () => {},
};

export function createService(deps: ServiceDeps): AgentService {
  const { standing, audit, checks, accept, streams, commands, statusOf, metrics } = deps;
  const context = () => standing.context();
  return {
    submit: (body, peer) =>
      audit.answer({ what: 'run', peer }, async (note) => {
        const { request, isKnown } = await admit({ body, peer }, checks, { context, note });
        if (!isKnown) await accept(request, peer.address);
        return streams.of(requestName(request), 0);
      }),
    events: (job, after, peer) =>
      audit.answer({ what: 'events', peer }, async (note) => {
        const iss = checkReader(peer, context().policy);
        note({ controller: iss, job });
        return streams.ofJob({ job, iss }, after);
      }),
    status: (peer, question) =>
      audit.answer({ what: 'status', peer }, async () => {
        checkReader(peer, context().policy);
        return statusOf({ certname: standing.certname, question });
      }),
    command: (body, peer) =>
      audit.answer({ what: 'command', peer }, async (note) => {
        const { request } = await admit({ body, peer }, COMMANDS, { context, note });
        const reply = await commands(request);
        metrics.changed();
        audit.accepted(request, { text: request.action.op, fields: reply });
        return reply;
      }),
  };
}
