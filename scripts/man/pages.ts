/** The man pages: kick(1), kick-agent(8) and those of the three files, from --help, `kick help` and the documents. */
import type { Command } from 'commander';
import type { Topic } from '../../src/cli/help/topic.ts';
import { TOPICS } from '../../src/cli/help/topics.ts';
import { FOLDER_OPTIONS } from '../../src/cli/options/folders.ts';
import { makeProgram } from '../../src/cli/program.ts';
import { version } from '../../src/cli/version.ts';
import { silentTerminal } from '../../tools/silent-terminal.ts';
import { readDocument } from '../docs.ts';
import { commandLines, exampleLines, optionLines, synopsis } from './command-help.ts';
import { blockLines, filled, type Page, type Part, pageText, paragraph, term, verbatim } from './roff.ts';

export interface ManPage {
  /** `kick-agent.8`. */
  file: string;
  text: string;
}

/** Topics of `kick help` that are parts of kick(1), with their headings there. */
const IN_KICK: Readonly<Record<string, string>> = {
  hosts: 'CHOOSING HOSTS',
  rollout: 'ROLLOUTS',
  cron: 'CRON',
  outcomes: 'OUTCOMES',
  'exit-codes': 'EXIT STATUS',
};

const ALL = [
  'kick(1)',
  'kick-agent(8)',
  'kick-agent.yaml(5)',
  'kick-controller.yaml(5)',
  'kick-inventory.yaml(5)',
];

/** `date` as YYYY-MM-DD. */
export async function manPages(date: string): Promise<ManPage[]> {
  const program = await makeProgram({ terminal: silentTerminal, env: {}, exit() {} });
  const pages = [kickPage(program), agentPage(program), ...FILES.map(filePage)];
  return pages.map((page) => {
    const seeAlso = ALL.filter((one) => one !== `${page.name}(${page.section})`).join(', ');
    const parts = [...page.parts, { heading: 'SEE ALSO', lines: filled(seeAlso) }];
    return {
      file: `${page.name}.${page.section}`,
      text: pageText({ ...page, parts, version: version(), date }),
    };
  });
}

type Draft = Omit<Page, 'version' | 'date'>;

function kickPage(program: Command): Draft {
  const run = commandOf(program, 'run');
  const commands = program.createHelp().visibleCommands(program);
  const topics = Object.entries(IN_KICK).map(([name, heading]) => ({ heading, lines: topicLines(name) }));
  return {
    name: 'kick',
    section: 1,
    title: 'run Puppet now on the hosts you name, and report how it ended',
    parts: [
      {
        heading: 'SYNOPSIS',
        lines: synopsis('kick [options] hosts...', 'kick command [options]', 'kick help topic'),
      },
      {
        heading: 'DESCRIPTION',
        lines: [
          ...paragraph(program.description()),
          ...paragraph(
            'Every node runs kick agent, a small listener that obeys signed requests over mutual TLS. kick sends one to each host, waits for the runs and prints how each ended; its exit code says the same. A word that is no command is a host: "kick web1" is "kick run web1".',
          ),
        ],
      },
      { heading: 'COMMANDS', lines: commands.flatMap((one) => commandLines(one, run)) },
      ...topics,
      environment(),
      files(),
      { heading: 'EXAMPLES', lines: exampleLines(program, { titled: true }) },
    ],
  };
}

function agentPage(program: Command): Draft {
  const agent = commandOf(program, 'agent');
  return {
    name: 'kick-agent',
    section: 8,
    title: agent.description(),
    parts: [
      { heading: 'SYNOPSIS', lines: synopsis('kick agent [options]') },
      {
        heading: 'DESCRIPTION',
        lines: paragraph(
          "kick agent listens on TCP 8139, serves with the node's own Puppet certificate, and starts Puppet when an authorized controller asks: the Puppet server, and the certnames under controllers: in agent.yaml. At most one run is in progress at a time; a run outlives the agent, and the next agent follows it again. It logs JSON lines to stdout.",
        ),
      },
      { heading: 'OPTIONS', lines: optionLines(agent) },
      {
        heading: 'SIGNALS',
        lines: [
          ...term('SIGHUP', 'load policy, certificates and CRLs again'),
          ...term('SIGUSR1', 'start the next scheduled run now'),
          ...term('SIGTERM, SIGINT', 'take no new requests and end; runs go on'),
        ],
      },
      environment(),
      files(),
      { heading: 'EXAMPLES', lines: exampleLines(agent, { titled: true }) },
    ],
  };
}

/** Each file, with the document that has its first example. */
const FILES = [
  { name: 'agent.yaml', document: 'docs/configuration.md' },
  { name: 'controller.yaml', document: 'docs/configuration.md' },
  { name: 'inventory.yaml', document: 'docs/choosing-hosts.md' },
] as const;

function filePage({ name, document }: (typeof FILES)[number]): Draft {
  const example = new RegExp(`\`\`\`yaml\\n(# /etc/kick/${name}\\n[\\s\\S]*?)\`\`\``).exec(
    readDocument(document),
  );
  return {
    name: `kick-${name}`,
    section: 5,
    title: lowerFirst(topicOf(name).title),
    parts: [
      { heading: 'DESCRIPTION', lines: topicLines(name) },
      { heading: 'EXAMPLE', lines: verbatim(example?.[1] ?? '') },
    ],
  };
}

function environment(): Part {
  return {
    heading: 'ENVIRONMENT',
    lines: [
      ...Object.values(FOLDER_OPTIONS).flatMap(([flags, variable]) =>
        term(variable, `as ${flags.split(' ')[0]}`),
      ),
      ...term('NO_COLOR', 'no colours, as with --no-color'),
      ...term('KICK_DEBUG', 'show where an error of kick itself came from'),
    ],
  };
}

function files(): Part {
  return {
    heading: 'FILES',
    lines: [
      ...term('/etc/kick', 'agent.yaml, controller.yaml, inventory.yaml; all optional'),
      ...term('/var/lib/kick', 'requests, runs and jobs'),
      ...term('/run/kick', 'runs in progress'),
      ...term('/etc/kick/pki', 'certificates, where there is no Puppet CA'),
    ],
  };
}

function commandOf(program: Command, name: string): Command {
  const found = program.commands.find((one) => one.name() === name);
  if (found === undefined) throw new Error(`there is no command "${name}"`);
  return found;
}

function topicOf(name: string): Topic {
  const found = TOPICS.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no topic "${name}"`);
  return found;
}

const topicLines = (name: string) => topicOf(name).blocks.flatMap(blockLines);

const lowerFirst = (text: string) => `${text[0]?.toLowerCase() ?? ''}${text.slice(1)}`;
