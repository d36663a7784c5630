/** What will go wrong on a host, from what is known of it: shared by `kick doctor` and `kick doctor --local`. */
import { CLOCK_RULE, clockWords, isTooFar, SKEW_WARNING_MS } from '../../protocol/clocks.ts';
import type { DoctorFacts } from '../../protocol/doctor.ts';
import type { AgentStatus, Disabled } from '../../protocol/status.ts';
import { plural } from '../../util/text.ts';
import { type Authorities, caFindings, endFinding, unknownCaFindings } from './end-findings.ts';
import { type Finding, problem, remark, warning } from './finding.ts';
import { isDoubtful, whoHolds } from './holder.ts';
import { disabledWords } from './host-state.ts';

const MB = 1 << 20;

const CRL_NEXT = 'bring a new crl.pem to it: delete the old one and run puppet, or see crl_refresh_interval';
const CERTIFICATE_NEXT =
  "renew it: 'puppet ssl clean' and 'puppet ssl bootstrap' there, after 'puppetserver ca clean'; of our own CA: kick agent renew, or kick agent enroll";

const IDENTITY_NEXT = 'put the files right; once restarted it would serve nobody';

const RENEWAL_NEXT = 'kick agent renew there says more; kick pki serve must run where the CA is';

const PUPPET_NEXT = {
  missing: 'install puppet-agent, or set its path: puppet: in agent.yaml',
  broken: 'fix its puppet.conf: puppet config print --section agent shows what Puppet reads',
};

/** From the facts alone, so that it works where no agent runs yet. */
export function factFindings(facts: DoctorFacts, now: number, { isPull = false } = {}): Finding[] {
  const { certificateEnds, crlEnds, folders, damaged = [], servers, staleLock, schedulers } = facts;
  const {
    puppetError,
    puppetComplaint,
    untrusted = [],
    renewalError,
    identityError,
    authorities = [],
  } = facts;
  return [
    ...(puppetError === undefined
      ? []
      : [problem(puppetError, PUPPET_NEXT[puppetError.startsWith('ask ') ? 'broken' : 'missing'])]),
    ...(puppetComplaint === undefined
      ? []
      : [
          warning(
            `Puppet uses its defaults, since it cannot read its configuration: ${puppetComplaint}`,
            PUPPET_NEXT.broken,
          ),
        ]),
    ...untrusted.map(({ what, next, isLeftOut }) =>
      isLeftOut === true ? warning(what, next) : problem(what, next),
    ),
    ...endFinding('its certificate', { ends: certificateEnds, now, next: CERTIFICATE_NEXT }),
    ...endFinding('its CRL', { ends: crlEnds, now, next: CRL_NEXT }),
    ...caFindings('its', authorities, now),
    ...(identityError === undefined
      ? []
      : [problem(`it goes on with its old certificates: ${identityError}`, IDENTITY_NEXT)]),
    ...(renewalError === undefined ? [] : [warning(`it cannot be renewed: ${renewalError}`, RENEWAL_NEXT)]),
    ...folders.flatMap(folderFindings),
    ...damaged.map(damagedFinding),
    ...(servers === undefined ? [] : serverFindings(servers)),
    ...(staleLock === undefined
      ? []
      : [remark(`a stale lock of Puppet's: ${staleLock}`, 'nothing: the next run of Puppet removes it')]),
    ...schedulerFindings(schedulers, isPull),
  ];
}

/** One server that answers is enough, as it is for Puppet. */
function serverFindings(servers: NonNullable<DoctorFacts['servers']>): Finding[] {
  if (servers.length === 0) {
    return [problem('no Puppet Server is set', "name it in puppet.conf: 'server = puppet.example.com'")];
  }
  const level = servers.every(({ error }) => error !== undefined) ? problem : warning;
  return servers.flatMap(({ name, port, error }) =>
    error === undefined
      ? []
      : [
          level(
            `Puppet Server ${name}:${port} cannot be used from there: ${error}`,
            'check the name, the firewall, and puppetserver itself',
          ),
        ],
  );
}

function folderFindings({ what, path, freeBytes, isTmpfs }: DoctorFacts['folders'][number]): Finding[] {
  const free = `${Math.floor(freeBytes / MB)} MB free in the ${what} folder ${path}`;
  const next = 'make room: below 16 MB kick agent refuses runs';
  return [
    ...(freeBytes < 16 * MB ? [problem(free, next)] : freeBytes < 64 * MB ? [warning(free, next)] : []),
    ...(isTmpfs === false
      ? [remark(`the run folder ${path} is not on a tmpfs`, 'use one, so that a full disk cannot stop a run')]
      : []),
  ];
}

function damagedFinding({ path, count, latest }: NonNullable<DoctorFacts['damaged']>[number]): Finding {
  const them = count === 1 ? 'it' : 'them';
  return warning(
    `${plural(count, 'record')} of kick agent's that it cannot use in ${path}${count > 1 ? ', the latest' : ':'} ${latest}`,
    `its log says why (a bad disk? a newer kick wrote ${them}?); then remove ${them}; the requests have failed, and kick can run them again`,
  );
}

function schedulerFindings(schedulers: readonly string[], isPull: boolean): Finding[] {
  if (schedulers.length === 0) return [];
  const named = schedulers.join(', ');
  if (isPull) {
    return [
      warning(
        `two schedules: kick's own (pull) and ${named}`,
        'turn the other one off: systemctl disable --now puppet, or remove the cron line',
      ),
    ];
  }
  if (schedulers.length > 1)
    return [warning(`more than one schedule starts Puppet runs: ${named}`, 'keep one')];
  return [
    remark(
      `Puppet is also run by ${named}`,
      'nothing: kick waits for such runs; pull: in agent.yaml can replace them',
    ),
  ];
}

/** Findings for an agent that answered. `version` and `authorities` are ours, `now` our clock halfway through the exchange. */
export function statusFindings(
  status: AgentStatus,
  { version, now, authorities = [] }: { version: string; now: number; authorities?: Authorities },
): Finding[] {
  const { doctor, running, disabled, obstacle, pull, pullOff, broker, time } = status;
  return [
    ...clockFindings(time - now),
    ...(status.version === version
      ? []
      : [warning(`kick ${status.version} there, ${version} here`, 'bring both to the same version')]),
    ...obstacleFindings(obstacle),
    ...runFindings(running, time),
    ...pullOffFindings(pullOff),
    ...brokerFindings(broker, time),
    ...unknownCaFindings(authorities, doctor?.authorities),
    ...disabledFindings(disabled, time),
    ...(doctor === undefined
      ? [unexamined(status.version === version)]
      : factFindings(doctor, time, { isPull: pull !== undefined })),
  ];
}

/** Of an agent that was not made to look at its host, or is too old to. */
function unexamined(isSameVersion: boolean): Finding {
  return isSameVersion
    ? remark(
        'it reports nothing of its certificate, folders and schedules',
        'kick doctor --local there looks at them',
      )
    : remark('it cannot report more: an older version of kick agent', 'bring both to the same version');
}

function clockFindings(aheadMs: number): Finding[] {
  if (Math.abs(aheadMs) <= SKEW_WARNING_MS) return [];
  const level = isTooFar(aheadMs) ? problem : warning;
  return [level(clockWords(aheadMs), `check NTP on both hosts: ${CLOCK_RULE}`)];
}

export function runFindings(running: AgentStatus['running'], now: number): Finding[] {
  if (running === undefined) return [];
  const { by, isRun, stuck, next } = running;
  const who = whoHolds(running, now);
  if (isDoubtful(running)) return [remark(`Puppet takes for a run: ${who}`, next ?? '')];
  if (stuck === undefined) {
    return [remark(`a run is in progress: ${who}`, 'nothing: kick waits for it, or joins it')];
  }
  const what = isRun === false ? 'no run can begin: the lock is held by' : 'a run is stuck:';
  const todo = by === undefined ? 'look at that process: kick leaves it alone' : 'kick cancel ends it';
  return [problem(`${what} ${who}: ${stuck}`, next ?? todo)];
}

/** For a lock of Puppet's that cannot be read. */
export function obstacleFindings(obstacle: string | undefined): Finding[] {
  if (obstacle === undefined) return [];
  return [
    problem(`no run can begin: ${obstacle}`, 'find out what made it, then remove it: Puppet makes its own'),
  ];
}

/** For pull mode that starts no runs. */
export function pullOffFindings(why: string | undefined): Finding[] {
  if (why === undefined) return [];
  const next = 'set an interval: pull: {runinterval: 30m} in agent.yaml, or runinterval in puppet.conf';
  return [warning(`pull mode is off, and no run starts by itself: ${why}`, next)];
}

const BROKER_NEXT = 'renew it there, and have nats-server load it (nats-server --signal reload)';

function brokerFindings(broker: AgentStatus['broker'], now: number): Finding[] {
  if (broker === undefined) return [];
  const { certificateEnds: ends, server } = broker;
  if (server !== undefined)
    return endFinding(`the certificate of its broker ${server}`, { ends, now, next: BROKER_NEXT });
  const { reason = 'no attempt is over yet' } = broker;
  return [
    warning(`it is not connected to NATS: ${reason}`, 'see nats in agent.yaml, and the servers it names'),
  ];
}

export function disabledFindings(disabled: Disabled | undefined, now: number): Finding[] {
  if (disabled === undefined) return [];
  return [warning(disabledWords(disabled, now), 'kick enable, when it may run again')];
}
