/** The agent's answers, whatever transport carries them (transport.ts): runs, events, status, commands. */
import type { Request } from '../protocol/request.ts';
import { MAX_ANSWER_BYTES } from '../protocol/request.ts';
import { type AgentStatus, CommandReplySchema, StatusSchema } from '../protocol/status.ts';
import type { AgentService } from '../transport/transport.ts';
import { fitTo } from '../util/fit.ts';
import type { Accept } from './admission/accept.ts';
import { type AdmitFor, admit } from './admission/admit.ts';
import type { Audit } from './admission/audit.ts';
import { checkReader, isController } from './admission/checks.ts';
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

/** Commands have no key and do not wait: commands.ts remembers those it has carried out. */
const COMMANDS: AdmitFor<Request['action']> = {
  checkOperation: (request) => request,
  isKnown: async () => false,
  checkOptions: () => {},
  checkRoom: async () => {},
};

export function createService(deps: ServiceDeps): AgentService {
  const { standing, audit, checks, accept, streams, commands, statusOf, metrics } = deps;
  const context = () => standing.context();
  return {
    isController: (certificate) => isController(certificate, standing.policy),
    greet: (peer) =>
      audit.answer({ what: 'connection', peer }, async () => {
        checkReader(peer, standing);
      }),
    submit: (body, peer) =>
      audit.answer({ what: 'run', peer }, async (note) => {
        const { request, isKnown } = await admit({ body, peer }, checks, { context, note });
        if (!isKnown) await accept(request, peer.address);
        return streams.of(requestName(request), 0);
      }),
    events: ({ job, after }, peer) =>
      audit.answer({ what: 'events', peer }, async (note) => {
        const iss = checkReader(peer, context());
        note({ controller: iss, job });
        return streams.ofJob({ job, iss }, after);
      }),
    status: (peer, question) =>
      audit.answer({ what: 'status', peer }, async () => {
        checkReader(peer, context());
        const { broker = standing.brokerStatus() } = peer;
        const status = await statusOf({ certname: standing.certname, question, broker });
        return fitTo(StatusSchema, status, { maxBytes: MAX_ANSWER_BYTES }) ?? status;
      }),
    command: (body, peer) =>
      audit.answer({ what: 'command', peer }, async (note) => {
        const { request } = await admit({ body, peer }, COMMANDS, { context, note });
        const said = await commands(request);
        const reply = fitTo(CommandReplySchema, said, { maxBytes: MAX_ANSWER_BYTES }) ?? said;
        metrics.changed();
        audit.accepted(request, { text: request.action.op, fields: reply });
        return reply;
      }),
  };
}
