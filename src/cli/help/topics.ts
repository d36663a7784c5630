/** The topics of `kick help`, in the order in which they are listed. Tables are made from the code that they explain. */
import { agentKeys, controllerKeys, type DescribedKey, inventoryKeys } from '../../config/keys.ts';
import { EXIT_CODES, OUTCOMES } from '../../protocol/outcome.ts';
import type { Block, Topic } from './topic.ts';

const OUTCOME_TOPIC: Topic = {
  name: 'outcomes',
  title: 'How a run can end, and what each outcome means',
  blocks: [
    'Every host of a job ends with exactly one outcome. The number is its exit code class.',
    { terms: Object.entries(OUTCOMES).map(([name, { means, exit }]) => [`${name} (${exit})`, means]) },
    "A success says so when it did less, or something else, than one might think: all resources were skipped, tags in puppet.conf left some out, or Puppet used another environment than the host's settings name.",
    {
      examples: [
        ['kick jobs show last --host web07', 'why it ended like that'],
        ['kick jobs --outcome failed --since 7d', 'jobs with such a host'],
        ['kick rerun last --outcome failed,lost', 'again, for those hosts'],
      ],
    },
  ],
};

const HOSTS_TOPIC: Topic = {
  name: 'hosts',
  title: 'How hosts are chosen',
  blocks: [
    'Everything that names hosts (arguments, --host, --group, --nodes-file, --all) is a union. Each of --query, --fact, --class and --last then keeps only the hosts that match; --exclude and --limit leave out more. Without names, the conditions alone choose. "kick nodes" shows the result and sends nothing.',
    {
      terms: [
        ['web[01-20,30], n[1-9/2]', 'ranges, zero-padded, with steps'],
        ['web*, web?.example.com', "masks, against the inventory or else PuppetDB's nodes"],
        ['@dmz, @*', 'a group; every host'],
        ['a,b a!b a&b a^b', 'union, difference, intersection, symmetric difference; from left to right'],
        ['"a (b), c"', 'a certname in quotes stands for itself'],
        ['os.family=Debian', 'a fact: =, !=, ~ (regular expression), <, <=, >, >='],
        ['mounts."/boot".size<5', 'facts inside facts; numbers compare as numbers, text as versions'],
      ],
    },
    'Names that match no host choose none (exit code 2), never all. Hosts in the group "maintenance" are left out unless --include-maintenance is given. An agent that does not answer a question cannot be judged: it is listed, and the exit code is 3.',
    {
      examples: [
        ["kick nodes 'web[01-20]!web07'", 'all but one'],
        ['kick nodes @dmz --fact os.family=Debian --explain', 'who is in or out, and why'],
        ['kick nodes --all --class apache --limit 10% --seed monday', 'some of them'],
        ['kick nodes --last failed --expand', 'one host per line'],
        ['kick nodes --nodes-file nodes.txt --count', 'names from a file'],
      ],
    },
  ],
};

const ROLLOUT_TOPIC: Topic = {
  name: 'rollout',
  title: 'Rolling out to many hosts, and stopping when things go wrong',
  blocks: [
    'By default 25 runs are in progress at once, and each run that ends lets the next host start. Batches and a canary add stages; budgets say when to stop. A rollout that stops starts no more hosts, leaves runs in progress alone, and reports the remaining hosts as not-started.',
    {
      terms: [
        ['--concurrency N', 'runs at once; hosts that wait for a run in progress do not count'],
        ['--canary N', 'a first batch in which every host must succeed'],
        ['--batch N or N%', 'hosts per batch; repeat it for stages, the last of which repeats'],
        ['--pause TIME, --confirm', 'wait, or ask, between batches'],
        ['--max-failures N or N%', 'stop when more hosts than this have failed or are lost'],
        ['--max-unreachable N or N%', 'stop when more hosts than this cannot be reached'],
        ['--retry N, --deadline TIME', 'try unreachable hosts again while the others go on'],
        ['--expect-version TEXT', 'a catalog of another version is stale'],
        ['--emergency --reason TEXT', 'ignore every --lock, try unreachable hosts for an hour'],
      ],
    },
    {
      examples: [
        ['kick @dmz --canary 1 --batch 25% --dry-run', 'which hosts, in which batches'],
        ['kick --all --canary 1 --batch 10% --batch 50% --pause 5m --max-failures 2', 'a careful one'],
        ['kick jobs stop last', 'start no more hosts'],
        ['kick jobs resume last', 'go on after a crash'],
        ['kick rerun last --outcome failed,not-started', 'the rest'],
      ],
    },
  ],
};

const EXIT_TOPIC: Topic = {
  name: 'exit-codes',
  title: 'What the exit code of kick means',
  blocks: [
    { terms: EXIT_CODES },
    'Of several hosts the worst class counts: 1, else 3, else 4, else 0. 1 is a run that failed, 3 a host that was not reached or refused, 4 a host that did not run.',
    '--accept OUTCOMES shows outcomes without counting them, and --success 98% exits with 0 if that share of the hosts did as asked. A rollout that stopped by itself is never 0.',
    'status, count, summary, ping, facts and nodes exit with 3 if a host did not answer; disable, enable and cancel with 4 if a host did not do as asked; doctor with 1 for a problem that makes kicks fail and 4 for warnings only.',
  ],
};

const CRON_TOPIC: Topic = {
  name: 'cron',
  title: 'Running kick from cron, timers and deploy hooks',
  blocks: [
    'With --quiet kick prints nothing if all is well, and one short report otherwise. --lock NAME lets one kick of that name run at once: another exits with 75, or waits with --lock-wait; a third exits with 75 at once, since the one that is waiting will do its work.',
    {
      terms: [
        ['--quiet', 'print only when something is wrong'],
        ['--lock NAME, --lock-wait TIME', 'one at a time'],
        ['--accept OUTCOMES', 'show these outcomes, but do not count them'],
        ['--success PERCENT', 'exit 0 if this share of the hosts did as asked'],
        ['--syslog', 'a line per job and per host in the journal'],
      ],
    },
    {
      examples: [
        ['kick --all --quiet --lock nightly --accept unreachable,disabled', 'a crontab line'],
        ['kick --all --quiet --lock deploy --lock-wait 1h', 'a deploy hook'],
      ],
    },
  ],
};

const FILE_TOPICS: readonly Topic[] = [
  fileTopic('agent.yaml', 'What a node allows, and how its agent runs Puppet', agentKeys()),
  fileTopic('controller.yaml', 'Defaults for everybody who runs kick on a host', controllerKeys()),
  fileTopic(
    'inventory.yaml',
    "Hosts and groups, in the format of Bolt's inventory, version 2",
    inventoryKeys(),
  ),
];

export const TOPICS: readonly Topic[] = [
  OUTCOME_TOPIC,
  HOSTS_TOPIC,
  ROLLOUT_TOPIC,
  EXIT_TOPIC,
  CRON_TOPIC,
  ...FILE_TOPICS,
];

function fileTopic(name: string, title: string, keys: readonly DescribedKey[]): Topic {
  const blocks: Block[] = [
    `In /etc/kick (--config-dir, KICK_CONFIG_DIR). The file is optional.${name === 'agent.yaml' ? ' Times are written like 90s, 10m or 1h30m.' : ''}`,
    { terms: keys.map(({ key, what, preset }) => [key, textOf({ what, preset })]) },
  ];
  return { name, title, blocks };
}

function textOf({ what, preset }: Pick<DescribedKey, 'what' | 'preset'>): string {
  const text = what.replaceAll('`', '');
  return preset === ''
    ? text
    : `${text.replace(/:$/, '')} (default: ${preset})${text.endsWith(':') ? ':' : ''}`;
}
