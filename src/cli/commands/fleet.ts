/** What commands for many hosts share: options, connections, formats. */
import type { Command } from 'commander';
import type { AskOptions } from '../../controller/fleet/ask-hosts.ts';
import type { CommandAnswer } from '../../controller/fleet/command-agents.ts';
import { AT_ONCE } from '../../controller/fleet/each-host.ts';
import type { AgentAnswer } from '../../controller/targeting/host-sources.ts';
import { KickError } from '../../errors.ts';
import { EXIT } from '../../protocol/outcome.ts';
import type { Action } from '../../protocol/request.ts';
import { someNames } from '../../report/result-lines.ts';
import { safeJson, safeText } from '../../util/text.ts';
import type { CommandContext } from '../context.ts';
import { addFolderOptions } from '../options/folders.ts';
import { helpIn, inGroup, OPTION_GROUPS } from '../options/groups.ts';
import { addHostOptions, type HostOptions } from '../options/host-options.ts';
import { choiceOption } from '../options/option-choices.ts';
import { whole } from '../options/option-values.ts';
import { addConnectionOptions, checkFormat, FORMATS } from '../options/run-options.ts';
import { print } from '../print.ts';
import { whoAsks } from '../who.ts';
import { type PreparedHosts, prepareHosts } from './hosts.ts';

export interface FleetOptions extends HostOptions {
  format: (typeof FORMATS)[number];
  connectTimeout: number;
  concurrency?: number;
}

export function addFleetOptions(command: Command): void {
  addHostOptions(command);
  inGroup(command, OPTION_GROUPS.output, () =>
    command.addOption(
      choiceOption(
        '--format <format>',
        'human, json (at the end) or jsonl (as answers come)',
        FORMATS,
      ).default('human'),
    ),
  );
  helpIn(command, OPTION_GROUPS.output);
  inGroup(command, OPTION_GROUPS.places, () =>
    command.option('--concurrency <n>', `hosts asked at once (default: ${AT_ONCE})`, whole(1, 10_000)),
  );
  addConnectionOptions(command);
  addFolderOptions(command);
}

/** Chooses the hosts, and prints warnings about the choice before any of them is asked. */
export async function fleetOf(
  words: readonly string[],
  options: FleetOptions,
  command: Command,
  context: CommandContext,
): Promise<PreparedHosts> {
  checkFormat(options.format);
  const hosts = await prepareHosts(words, options, command, context);
  const { err } = context.terminal;
  const { warnings } = await hosts.controller.identity();
  for (const warning of warnings) err(`warning: ${warning}\n`);
  if (hosts.maintenance.length > 0) err(`maintenance: ${someNames(hosts.maintenance)} left out\n`);
  return hosts;
}

/** How to ask them; `onAnswer` is called as answers come. */
export function askingOf<Answer>(
  { connectTimeout: connectTimeoutMs, concurrency }: Pick<FleetOptions, 'connectTimeout' | 'concurrency'>,
  onAnswer?: (answer: Answer) => void,
): AskOptions<Answer> {
  return { connectTimeoutMs, concurrency, onAnswer };
}

export interface Order {
  action: Action;
  reason?: string | undefined;
}

/** Sends all hosts a signed command, prints a row for each, and resolves to the exit status. */
export async function commandFleet(
  hosts: PreparedHosts,
  { action, reason }: Order,
  options: FleetOptions,
  { terminal, env }: CommandContext,
): Promise<number> {
  const { out } = terminal;
  const width = nameWidth(hosts);
  const answers = await hosts.controller.command(hosts, {
    action,
    by: whoAsks(env, reason),
    ...askingOf(options, (answer: CommandAnswer) => {
      if (options.format === 'human')
        print(terminal, `${answer.target.certname.padEnd(width)}  ${rowOf(answer)}\n`);
      if (options.format === 'jsonl') out(`${safeJson(commandDocument(answer))}\n`);
    }),
  });
  if (options.format === 'json') out(`${safeJson(answers.map(commandDocument), 2)}\n`);
  if (answers.some(({ reply }) => reply === undefined) || hosts.unanswered.length > 0) return EXIT.incomplete;
  return answers.every(({ reply }) => reply?.result === 'done' || reply?.result === 'already')
    ? 0
    : EXIT.notDone;
}

export function nameWidth({ targets }: Pick<PreparedHosts, 'targets'>): number {
  return targets.reduce((width, { certname }) => Math.max(width, certname.length), 0);
}

/** The one document of a command: indented for `json`, on one line for `jsonl`. */
export function documentText(document: object, { format }: Pick<FleetOptions, 'format'>): string {
  return `${safeJson(document, format === 'json' ? 2 : undefined)}\n`;
}

/** 3 if a host could not be asked, so that the list is incomplete. */
export function exitOfAnswers(answers: readonly AgentAnswer[], { unanswered }: PreparedHosts): number {
  return unanswered.length > 0 || answers.some(({ status }) => status === undefined) ? EXIT.incomplete : 0;
}

/** Throws `KickError` `usage` for a reason that agents would refuse. */
export function checkedReason(reason: string, option: string): string {
  if (reason.trim() === '') throw new KickError('usage', `${option}: it is empty`);
  if (reason.length > 500) throw new KickError('usage', `${option}: longer than 500 characters`);
  return reason;
}

function rowOf({ reply, error = '' }: CommandAnswer): string {
  return safeText(
    reply === undefined ? `no answer  ${error}` : `${WORDS[reply.result].padEnd(9)}  ${reply.message}`,
  );
}

const WORDS = {
  ...{ done: 'done', already: 'already', nothing: 'not done', held: 'not done' },
  unclear: 'unclear',
} as const;

function commandDocument({ target, reply, error }: CommandAnswer): object {
  return { certname: target.certname, ...(reply ?? { result: 'no answer', error }) };
}
