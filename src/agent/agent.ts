/** The agent as the transport and the command line see it: admission in front, then the queue, then the folders. */
import { messageOf } from '../errors.ts';
import type { Expiry } from '../pki/expiry.ts';
import type { AgentService } from '../transport/transport.ts';
import { createAccept } from './admission/accept.ts';
import type { AdmissionContext } from './admission/checks.ts';
import type { Policy } from './admission/policy.ts';
import { createRunChecks } from './admission/run-checks.ts';
import { createCommands } from './commands.ts';
import { openParts } from './open-parts.ts';
import type { AgentOptions } from './options.ts';
import { settleAll } from './queue/settle.ts';
import { createStreams } from './requests/request-streams.ts';
import { createLastOwnRun } from './runs/last-own-run.ts';
import { dutiesOf } from './schedule/agent-duties.ts';
import { startDuties } from './schedule/duties.ts';
import { createOwnRun } from './schedule/own-run.ts';
import type { Pull } from './schedule/pull.ts';
import { createRest, type Rest } from './schedule/rest.ts';
import { openSchedule } from './schedule/schedule.ts';
import { createService } from './service.ts';
import type { Broker } from './standing.ts';
import { createStatus } from './status.ts';

export interface Agent extends AgentService {
  /** Known only once the certificate is there (first boot). */
  setCertname(certname: string): void;
  setPolicy(policy: Policy): void;
  /** Has every certificate verified here as well: for a transport that is not believed (DESIGN 14). */
  setVerify(verify: NonNullable<AdmissionContext['verify']>): void;
  /** The runs that the agent starts by itself; undefined: none. */
  setPull(pull: Pull | undefined): void;
  /** Starts the next of them now, if there are any. Never rejects. */
  runNow(): Promise<void>;
  /** The connection to brokers by which it is reached as well. */
  setBroker(broker: Broker): void;
  /** When certificate and CRLs expire, for monitoring. */
  setExpiry(expiry: Expiry): void;
  /** For an agent that ends when nothing needs it. */
  readonly rest: Rest;
  /** Takes no new requests and ends the streams, which can be resumed later; runs go on. */
  stop(): Promise<void>;
}

/** Opens the folders and settles unfinished runs and requests. Throws `KickError` `state`. */
export async function openAgent(options: AgentOptions): Promise<Agent> {
  const { stateDir, runDir, queueSize, version, clock, log, doctor } = options;
  const parts = await openParts(options);
  const { layout, requests, requestLog, standing, metrics, audit, disabling, queue, runner } = parts;
  const isDisabled = async () => (await runner.gate(clock.now())).state === 'disabled';
  metrics.setLevels({ waiting: () => queue.waiting(), isDisabled, broker: standing.brokerStatus });
  const folders = { stateDir, runDir, layout };
  const checks = createRunChecks({ requests, queue, runner, folders, queueSize, version });
  const accept = createAccept({ requests, queue, checks, audit, metrics, clock, version });
  const schedule = await openSchedule({
    ...{ stateDir, clock, log },
    quarantine: parts.quarantines.settled,
    begin: createOwnRun({ standing, checks, accept, clock }),
    runinterval: () => runner.runinterval(),
    catalogProblem: () => runner.catalogProblem(),
    isDisabled,
  });
  queue.onRelease(({ request }) => void schedule.onRun(request.action));
  const lastOwnRun = createLastOwnRun(layout.runs, parts.queueDeps.runs);
  const about = { version, clock, runner, lastOwnRun, doctor };
  const statusOf = createStatus({ ...about, queue, schedule, keeper: parts.keeper });
  await settleAll({ ...parts.queueDeps, requests, queue });
  const streams = createStreams({ requests, requestLog, stopping: standing.stopping });
  const commands = createCommands({ requests, queue, disabling, clock, marks: parts.marks });
  const endDuties = startDuties(dutiesOf(parts, { schedule, clock, lookEveryMs: options.lookEveryMs }), log);
  return {
    ...createService({ standing, audit, checks, accept, streams, commands, statusOf, metrics }),
    setCertname(name) {
      standing.certname = name;
      schedule.setCertname(name);
    },
    setPolicy(policy) {
      standing.policy = policy;
    },
    setVerify(verify) {
      standing.verify = verify;
    },
    setPull(pull) {
      standing.pull = pull;
      schedule.setPull(pull);
    },
    async runNow() {
      if (standing.stopping.aborted) return;
      try {
        await schedule.runNow();
      } catch (error) {
        log.error({ error: messageOf(error) }, 'cannot start the scheduled run');
      }
    },
    setBroker: (broker) => standing.setBroker(broker, metrics.changed),
    setExpiry: (expiry) => metrics.setExpiry(expiry),
    rest: createRest(parts, clock),
    async stop() {
      standing.stop();
      endDuties();
      await queue.close();
      await metrics.close();
    },
  };
}
