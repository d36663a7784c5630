/** `kick doctor`: what will go wrong, on hosts and, with --local, on this one before its agent is ever started. */
import type { Command } from 'commander';
import { askAgents } from '../../controller/fleet/ask-agents.ts';
import { endFinding, type Finding, problem, statusFindings } from '../../controller/fleet/findings.ts';
import type { AgentAnswer } from '../../controller/targeting/host-sources.ts';
import { KickError } from '../../errors.ts';
import { expiryOf } from '../../pki/expiry.ts';
import type { Identity } from '../../pki/identity.ts';
import { EXIT } from '../../protocol/outcome.ts';
import { doctorText, type Patient } from '../../report/doctor-text.ts';
import { vitalsOf } from '../../report/doctor-vitals.ts';
import { safeJson } from '../../report/json.ts';
import type { SendFailure } from '../../transport/transport.ts';
import { systemClock } from '../../util/clock.ts';
import type { CommandContext } from '../context.ts';
import { foldersOf } from '../options/folders.ts';
import { checkFormat } from '../options/run-options.ts';
import { version } from '../version.ts';
import { addFleetOptions, documentText, type FleetOptions, fleetOf, withSender } from './fleet.ts';

const EXAMPLES = `
Looks at reachability, certificates and CRLs on both sides, clocks, versions, Puppet's locks, stuck
runs, disk space, whether Puppet Server is reachable from there, and a second scheduler. It changes
nothing.

Examples:
  kick doctor web1 web2
  kick doctor --all --format json
  kick doctor --local                        on a node, before its agent is started

Exit codes: 1 a problem that makes kicks fail, 3 a host was not reached or did not answer,
4 warnings only, 0 all well (remarks do not count).
`;

interface DoctorOptions extends FleetOptions {
  local?: boolean;
}

export function addDoctorCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('doctor')
    .description('what will go wrong on hosts, and what to do about it; changes nothing')
    .option('--local', 'this host itself, with or without a running agent')
    .addHelpText('after', EXAMPLES);
  addFleetOptions(command);
  command.action(async (words: string[], options: DoctorOptions) => {
    const doctor = options.local === true ? local : remote;
    context.exit(await doctor(words, options, command, context));
  });
}

async function local(
  words: readonly string[],
  options: DoctorOptions,
  command: Command,
  context: CommandContext,
): Promise<number> {
  checkFormat(options.format);
  const { host = [], group = [], nodesFile = [], all } = options;
  const [other] = [...words, ...host, ...group, ...nodesFile, ...(all === true ? ['--all'] : [])];
  if (other !== undefined) {
    throw new KickError('usage', `--local: it is about this host, not about "${other}"`, {
      hint: 'without --local: kick doctor HOST',
    });
  }
  const { localPatient } = await import('../agent/doctor-local.ts');
  const folders = foldersOf(command, context.env);
  const patient = await localPatient({ ...folders, port: options.port, path: context.env['PATH'] ?? '' });
  tell([patient], options, context);
  return exitOf([patient], false);
}

async function remote(
  words: readonly string[],
  options: DoctorOptions,
  command: Command,
  context: CommandContext,
): Promise<number> {
  const hosts = await fleetOf(words, options, command, context);
  const identity = await hosts.identity();
  const patients = new Map<string, Patient>();
  await withSender(hosts, options, (sender) =>
    askAgents(hosts.targets, {
      ...{ sender, clock: systemClock, question: { doctor: true } },
      ...(options.concurrency !== undefined && { concurrency: options.concurrency }),
      onAnswer(answer) {
        // At once: its clock is compared with ours.
        const patient = patientOf(answer, systemClock.now());
        patients.set(patient.certname, patient);
        if (options.format === 'jsonl') context.terminal.out(`${safeJson(patient)}\n`);
      },
    }),
  );
  const own = controllerFindings(identity, systemClock.now());
  const self = own.length > 0 ? [{ certname: `${identity.certname} (this controller)`, findings: own }] : [];
  const all = [...self, ...hosts.targets.flatMap(({ certname }) => patients.get(certname) ?? [])];
  if (options.format === 'jsonl') for (const one of self) context.terminal.out(`${safeJson(one)}\n`);
  else tell(all, options, context);
  return exitOf(all, hosts.unanswered.length > 0);
}

/** What to do about a host that could not be asked. */
const ADVICE: Readonly<Record<SendFailure, string>> = {
  'no-such-name': 'add it to the DNS, or say where it is: uri in inventory.yaml, address_from',
  'connection-refused': 'start kick agent there (systemctl status kick-agent), or see --port',
  'no-answer': 'is the host up, and its port open to this one? see the firewall, and --connect-timeout',
  certificate:
    "compare its certname with the name asked for; 'kick doctor --local' there tells of its certificate and CRL",
  'not-trusted': "it does not accept our certificate: 'kick doctor --local' there; is its crl.pem fresh?",
  refused: 'see the audit line of its log; controllers in its agent.yaml says whom it obeys',
  broken: 'try again; then look at the log of kick agent there',
  garbage: 'something else than kick agent listens there: see --port',
  aborted: 'ask it again',
};

function patientOf(
  { target, status, error = 'no answer', failure = 'no-answer', latencyMs = 0 }: AgentAnswer,
  now: number,
): Patient {
  const { certname } = target;
  if (status === undefined) {
    return { certname, isSilent: true, findings: [problem(error, ADVICE[failure])] };
  }
  const then = now - latencyMs / 2;
  return {
    certname,
    findings: statusFindings(status, { version: version(), now: then }),
    vitals: vitalsOf(status, then),
  };
}

function controllerFindings(identity: Identity, now: number): Finding[] {
  const { certificate, crl } = expiryOf(identity);
  return [
    ...endFinding(
      "this controller's certificate",
      certificate,
      now,
      'renew it before: nobody obeys an ended one',
    ),
    ...endFinding(
      "this controller's CRL",
      crl,
      now,
      'bring a new crl.pem: with an ended one no host is trusted',
    ),
  ];
}

function tell(patients: readonly Patient[], options: DoctorOptions, { terminal }: CommandContext): void {
  terminal.out(options.format === 'human' ? doctorText(patients) : documentText(patients, options));
}

/** A problem of a host that answers is worse than one that does not: it is known. */
function exitOf(patients: readonly Patient[], isIncomplete: boolean): number {
  const answered = patients.filter(({ isSilent }) => isSilent !== true);
  const has = (level: Finding['level']) =>
    answered.some(({ findings }) => findings.some((one) => one.level === level));
  if (has('problem')) return 1;
  if (isIncomplete || answered.length < patients.length) return EXIT.incomplete;
  return has('warning') ? EXIT.notDone : 0;
}
