/** `kick doctor`: findings and vitals of hosts, and of this controller itself. */
import { authoritiesIn } from '../../pki/authorities.ts';
import type { AgentStatus } from '../../protocol/status.ts';
import type { SendFailure, Target } from '../../transport/transport.ts';
import type { Site } from '../site.ts';
import type { AgentAnswer } from '../targeting/host-sources.ts';
import { type AskOptions, askHosts } from './ask-hosts.ts';
import type { Authorities } from './end-findings.ts';
import { type Finding, problem } from './finding.ts';
import { statusFindings } from './findings.ts';
import { holderOf } from './holder.ts';
import { ownFindings } from './own-ends.ts';

export interface Patient {
  certname: string;
  findings: readonly Finding[];
  /** It did not answer. */
  isSilent?: true;
  /** From its answer, whether or not anything is wrong. */
  vitals?: Vitals;
}

export interface Vitals {
  /** Versions. */
  kick: string;
  puppet?: string;
  /** Milliseconds by which its clock is ahead of ours. */
  clockAheadMs: number;
  /** Milliseconds until it expires; negative once it has. */
  certificateMsLeft?: number;
  crlMsLeft?: number;
  /** Who holds Puppet's lock, in words; absent: nobody. */
  lock?: string;
}

/** Returns this controller, if anything is wrong with it, and then the hosts in their order. */
export async function examineHosts(
  site: Site,
  targets: readonly Target[],
  { onAnswer, ...options }: AskOptions<Patient>,
): Promise<Patient[]> {
  const { clock, version } = site;
  const patients = new Map<string, Patient>();
  const identity = await site.identity();
  const authorities = authoritiesIn(identity);
  await askHosts(site, targets, {
    ...options,
    question: { doctor: true },
    onAnswer(answer) {
      // Immediately, since its clock is compared with ours.
      const patient = patientOf(answer, { now: clock.now(), version, authorities });
      patients.set(patient.certname, patient);
      onAnswer?.(patient);
    },
  });
  const own = await ownFindings(site);
  const self: Patient = { certname: `${identity.certname} (this controller)`, findings: own };
  if (own.length > 0) onAnswer?.(self);
  const hosts = targets.flatMap(({ certname }) => patients.get(certname) ?? []);
  return own.length > 0 ? [self, ...hosts] : hosts;
}

/** What to do about a host that could not be asked. */
const ADVICE: Readonly<Record<SendFailure, string>> = {
  'no-such-name': 'add it to the DNS, or set its address: uri in inventory.yaml, address_from',
  'connection-refused': 'start kick agent there (systemctl status kick-agent), or see --port',
  'no-answer': 'is the host up, and its port open to this one? see the firewall, and --connect-timeout',
  certificate:
    "'kick doctor --local' there checks its certificate and CRL; if the name is wrong, ask it by its certname; if it is denied here by mistake, take it out of the file denied",
  'not-trusted': "it does not accept our certificate: 'kick doctor --local' there; is its crl.pem fresh?",
  refused: 'see the audit line in its log; controllers in its agent.yaml lists who may ask',
  broken: 'try again; then check the log of kick agent there',
  garbage: 'something other than kick agent listens there: see --port',
  'too-much': 'do not trust this host: something answers there in place of kick agent, or it is broken',
  aborted: 'ask it again',
};

function patientOf(
  { target, status, error = 'no answer', failure = 'no-answer', latencyMs = 0 }: AgentAnswer,
  { now, version, authorities }: { now: number; version: string; authorities: Authorities },
): Patient {
  const { certname } = target;
  if (status === undefined) {
    return { certname, isSilent: true, findings: [problem(error, ADVICE[failure])] };
  }
  const then = now - latencyMs / 2;
  return {
    certname,
    findings: statusFindings(status, { version, now: then, authorities }),
    vitals: vitalsOf(status, then),
  };
}

/** From an agent's answer; `now` is our clock halfway through the exchange. */
function vitalsOf(status: AgentStatus, now: number): Vitals {
  const { version, puppetVersion, time, running, doctor: { certificateEnds, crlEnds } = {} } = status;
  return {
    kick: version,
    ...(puppetVersion !== undefined && { puppet: puppetVersion }),
    clockAheadMs: Math.round(time - now),
    ...(certificateEnds !== undefined && { certificateMsLeft: certificateEnds - time }),
    ...(crlEnds !== undefined && { crlMsLeft: crlEnds - time }),
    ...(running !== undefined && { lock: `held by ${holderOf(running)}` }),
  };
}
