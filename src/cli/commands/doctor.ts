/** `kick doctor`: what will go wrong, on hosts or, with --local, on this one before its agent is first started. */
import type { Command } from 'commander';
import type { Finding } from '../../controller/fleet/finding.ts';
import type { Patient } from '../../controller/fleet/patient.ts';
import { KickError } from '../../errors.ts';
import { EXIT } from '../../protocol/outcome.ts';
import { doctorText } from '../../report/doctor-text.ts';
import { safeJson } from '../../util/text.ts';
import type { CommandContext } from '../context.ts';
import { foldersOf } from '../options/folders.ts';
import { checkFormat } from '../options/run-options.ts';
import { print } from '../print.ts';
import { addFleetOptions, askingOf, documentText, type FleetOptions, fleetOf } from './fleet.ts';

const EXAMPLES = `
Checks reachability, certificates and CRLs on both sides, clocks, versions,
Puppet's locks, stuck runs, disk space, damaged records, whether hosts reach
Puppet Server, and other schedulers. Every problem comes with what to do about
it.

Examples:
  kick doctor web1 web2
  kick doctor --all --format json
  kick doctor --local                   on a node, before its agent starts

Exit codes: 1 a problem that makes kicks fail, 3 a host was not reached or did
not answer, 4 warnings only, 0 all well (remarks do not count).
`;

interface DoctorOptions extends FleetOptions {
  local?: boolean;
}

export function addDoctorCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('doctor')
    .description('find what will go wrong on hosts; changes nothing')
    .option('--local', 'check this host itself, with or without a running agent')
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
  show([patient], options, context);
  return exitOf([patient], false);
}

async function remote(
  words: readonly string[],
  options: DoctorOptions,
  command: Command,
  context: CommandContext,
): Promise<number> {
  const hosts = await fleetOf(words, options, command, context);
  const showLine = (patient: Patient) => {
    if (options.format === 'jsonl') context.terminal.out(`${safeJson(patient)}\n`);
  };
  const patients = await hosts.controller.doctor(hosts, askingOf(options, showLine));
  if (options.format !== 'jsonl') show(patients, options, context);
  return exitOf(patients, hosts.unanswered.length > 0);
}

function show(patients: readonly Patient[], options: DoctorOptions, { terminal }: CommandContext): void {
  if (options.format === 'human') print(terminal, doctorText(patients));
  else terminal.out(documentText(patients, options));
}

/** Known problems of hosts that answer come before hosts that do not answer. */
function exitOf(patients: readonly Patient[], isIncomplete: boolean): number {
  const answered = patients.filter(({ isSilent }) => isSilent !== true);
  const has = (level: Finding['level']) =>
    answered.some(({ findings }) => findings.some((one) => one.level === level));
  if (has('problem')) return 1;
  if (isIncomplete || answered.length < patients.length) return EXIT.incomplete;
  return has('warning') ? EXIT.notDone : 0;
}
