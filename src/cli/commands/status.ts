/** `kick status`, `kick count`, `kick summary`: what hosts do, how many of each, and how their latest runs went. */
import type { Command } from 'commander';
import { countHosts, HOST_STATES, overdueText, stateOf } from '../../controller/fleet/host-state.ts';
import type { AgentAnswer } from '../../controller/targeting/host-sources.ts';
import { summaryText } from '../../report/fleet-summary.ts';
import { stateText } from '../../report/host-state.ts';
import { safeJson } from '../../report/json.ts';
import { plural, safeText } from '../../util/text.ts';
import type { CommandContext } from '../context.ts';
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
  kick status --all --overdue               who was disabled and forgotten, or did not run in time

Exit codes: 0 all answered, 3 some did not (they have their rows), 2 usage or configuration.
`;

const COUNT_EXAMPLES = `
Examples:
  kick count --all
  kick count @dmz --format json
`;

const SUMMARY_EXAMPLES = `
Each bar is how many hosts have such a value, from the least to the most.

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
    .description(
      'what hosts do now: applying, disabled by whom and until when, idle; a line each, then counts',
    )
    .option(
      '--overdue',
      'only hosts disabled past their end or for more than a day, or late for their own schedule',
    )
    .addHelpText('after', STATUS_EXAMPLES);
  const count = program
    .command('count')
    .description('how many hosts are applying a catalog, disabled, idle')
    .addHelpText('after', COUNT_EXAMPLES);
  const summary = program
    .command('summary')
    .description('the latest runs of many hosts: resources and times, the slowest and the most failing')
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
      out(`${answer.target.certname.padEnd(width)}  ${rowOf(answer, options)}\n`);
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
      ['requests that wait', counts.waiting],
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
  context.terminal.out(options.format === 'human' ? summaryText(summary) : documentText(summary, options));
  const silent = answers.filter(({ status }) => status === undefined);
  for (const { target, error = '' } of silent.slice(0, 20)) {
    context.terminal.err(`no answer  ${target.certname}  ${safeText(error)}\n`);
  }
  if (silent.length > 20) context.terminal.err(`no answer  and ${silent.length - 20} more\n`);
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
