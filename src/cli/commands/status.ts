/** `kick status`, `kick count`, `kick summary`: what hosts are doing, how many of each, and how their latest runs went. */
import type { Command } from 'commander';
import { countHosts, HOST_STATES, overdueText, stateOf } from '../../controller/fleet/host-state.ts';
import type { AgentAnswer } from '../../controller/targeting/host-sources.ts';
import { summaryText } from '../../report/fleet-summary.ts';
import { stateText } from '../../report/host-state.ts';
import { silentLines } from '../../report/silent-hosts.ts';
import { plural, safeJson, safeText } from '../../util/text.ts';
import type { CommandContext } from '../context.ts';
import { note, print } from '../print.ts';
import {
  addFleetOptions,
  askingOf,
  documentText,
  exitOfAnswers,
  type FleetOptions,
  fleetOf,
  nameWidth,
} from './fleet.ts';

const STATUS_EXAMPLES = `
Examples:
  kick status web1 web2
  kick status @dmz --format jsonl
  kick status --all --overdue           disabled and forgotten, or late

Exit codes: 0 all answered, 3 some did not (they have a row, too), 2 usage or
configuration.
`;

const COUNT_EXAMPLES = `
Examples:
  kick count --all
  kick count @dmz --format json
`;

const SUMMARY_EXAMPLES = `
Each bar shows how many hosts have such a value, from the least to the most.

Examples:
  kick summary --all
  kick summary 'web*' --format json
`;

interface StatusOptions extends FleetOptions {
  overdue?: boolean;
}

export function addStatusCommands(program: Command, context: CommandContext): void {
  const status = program
    .command('status')
    .description('show what hosts are doing right now, and who disabled them')
    .option(
      '--overdue',
      'only hosts that are late for their schedule, disabled past their end or for more than a day',
    )
    .addHelpText('after', STATUS_EXAMPLES);
  const count = program
    .command('count')
    .description('count the hosts that are applying, disabled or idle')
    .addHelpText('after', COUNT_EXAMPLES);
  const summary = program
    .command('summary')
    .description('summarize the latest runs: resources, times, the slowest hosts')
    .addHelpText('after', SUMMARY_EXAMPLES);
  for (const [command, run] of [
    [status, statusOf],
    [count, countOf],
    [summary, summaryOf],
  ] as const) {
    addFleetOptions(command);
    command.action(async (words: string[], options: StatusOptions) => {
      context.exit(await run(words, options, command, context));
    });
  }
}

async function statusOf(
  words: readonly string[],
  options: StatusOptions,
  command: Command,
  context: CommandContext,
): Promise<number> {
  const { out, err } = context.terminal;
  const hosts = await fleetOf(words, options, command, context);
  const width = nameWidth(hosts);
  const isShown = (answer: AgentAnswer) =>
    options.overdue !== true || answer.status === undefined || overdueText(answer) !== undefined;
  const show = (answer: AgentAnswer) => {
    if (!isShown(answer)) return;
    if (options.format === 'human')
      print(context.terminal, `${answer.target.certname.padEnd(width)}  ${rowOf(answer, options)}\n`);
    if (options.format === 'jsonl') out(`${safeJson(documentOf(answer))}\n`);
  };
  const answers = await hosts.controller.status(hosts, askingOf(options, show));
  if (options.format === 'json') out(`${safeJson(answers.filter(isShown).map(documentOf), 2)}\n`);
  if (options.format === 'human') {
    if (options.overdue === true && !answers.some(isShown)) err('Nothing is overdue.\n');
    out(`\n${countsText(answers)}\n`);
  }
  return exitOfAnswers(answers, hosts);
}

function rowOf(answer: AgentAnswer, { overdue }: StatusOptions): string {
  if (stateOf(answer) === 'no answer') return `no answer: ${stateText(answer)}`;
  return overdue === true ? safeText(overdueText(answer) ?? '') : stateText(answer);
}

async function countOf(
  words: readonly string[],
  options: FleetOptions,
  command: Command,
  context: CommandContext,
): Promise<number> {
  const hosts = await fleetOf(words, options, command, context);
  const { answers, ...counts } = await hosts.controller.count(hosts, askingOf(options));
  if (options.format === 'human') {
    const rows: [string, number][] = [
      ['hosts', counts.hosts],
      ...HOST_STATES.map((state): [string, number] => [state, counts.states[state]]),
      ['waiting requests', counts.waiting],
    ];
    const text = rows.map(([name, count]) => `${`${name}:`.padStart(20)}  ${count}\n`).join('');
    context.terminal.out(text);
  } else {
    const { hosts: all, states, waiting } = counts;
    context.terminal.out(documentText({ hosts: all, ...states, waiting }, options));
  }
  return exitOfAnswers(answers, hosts);
}

async function summaryOf(
  words: readonly string[],
  options: FleetOptions,
  command: Command,
  context: CommandContext,
): Promise<number> {
  const hosts = await fleetOf(words, options, command, context);
  const { summary, answers } = await hosts.controller.summary(hosts, askingOf(options));
  if (options.format === 'human') print(context.terminal, summaryText(summary));
  else context.terminal.out(documentText(summary, options));
  for (const line of silentLines(answers)) note(context.terminal, `no answer  ${line}\n`);
  return exitOfAnswers(answers, hosts);
}

/** `12 hosts: 9 idle, 1 applying, 2 disabled`. */
function countsText(answers: readonly AgentAnswer[]): string {
  const { hosts, states } = countHosts(answers);
  const shown = HOST_STATES.filter((state) => states[state] > 0).map((state) => `${states[state]} ${state}`);
  return `${plural(hosts, 'host')}: ${shown.join(', ')}`;
}

function documentOf(answer: AgentAnswer): object {
  const { target, status, ...rest } = answer;
  const overdue = overdueText(answer);
  return {
    certname: target.certname,
    state: stateOf(answer),
    ...(overdue !== undefined && { overdue }),
    ...rest,
    ...status,
  };
}
