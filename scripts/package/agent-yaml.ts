/** /etc/kick/agent.yaml as packages bring it: every key in a comment, with what it means and its default or an example. */
import { agentKeys, type DescribedKey } from '../../src/config/keys.ts';

/** Values of keys whose default only the program knows; a list in `LISTS` begins with these entries. */
const EXAMPLES: Readonly<Record<string, string>> = {
  bind: '192.0.2.10',
  'nats.servers': '[tls://nats1.example.com:4222]',
  'nats.tls': 'true',
  controllers: 'deploy.example.com',
  'controllers.name': 'ci.example.com',
  'controllers.ops': '[run, cancel, disable, enable]',
  'controllers.environments': '[staging]',
  'controllers.noop_only': 'false',
  'apply.manifest': '/etc/puppet/code/manifests/site.pp',
  command: '[/usr/local/sbin/converge, --quiet]',
  run_timeout: '1h5m',
  'pull.runinterval': '30m',
  'pull.splay': 'true',
  'pull.catalog': 'new',
  'pull.noop': 'false',
  run_environment: '{LANG: C.UTF-8}',
  environment_files: '[/etc/default/puppet]',
  puppet: '/opt/puppetlabs/bin/puppet',
  pki_dir: '/etc/kick/pki',
  certname: 'web1.example.com',
  metrics_file: '/var/lib/prometheus/node-exporter/kick.prom',
};

/** Keys with a list of names or mappings. */
const LISTS: readonly string[] = ['controllers'];

const WIDTH = 100;

const HEAD = `# /etc/kick/agent.yaml: the kick agent of this host. Everything is optional. Every key is listed with its
# default, or with an example if it has none. To set one, remove the # in front of it and of the key above it.
# See kick-agent.yaml(5). To test the file: kick agent --check
# Then: systemctl reload kick-agent, for controllers, trust_pp_cli_auth and pull; restart for the rest. Runs go on.
`;

/** Lines of text begin with "# ", those to be uncommented with "#" and no blank, or two of them where they are indented. */
export function agentYaml(): string {
  const keys = agentKeys();
  const top = keys.filter(({ key }) => !key.includes('.'));
  return [HEAD, ...top.map((key) => `${[...explained(key, ''), ...valued(key, keys)].join('\n')}\n`)].join(
    '\n',
  );
}

function valued({ key, preset }: DescribedKey, keys: readonly DescribedKey[]): string[] {
  const children = keys.filter((one) => one.key.startsWith(`${key}.`));
  if (children.length === 0) return [`#${key}: ${EXAMPLES[key] ?? known(key, preset)}`];
  const isList = LISTS.includes(key);
  const inner = isList ? '    ' : '  ';
  return [
    `#${key}:`,
    ...(isList ? [`#  - ${EXAMPLES[key]}`] : []),
    ...children.flatMap((child, index) => {
      const name = child.key.slice(key.length + 1);
      const before = isList && index === 0 ? '  - ' : inner;
      return [
        ...explained(child, inner),
        `#${before}${name}: ${EXAMPLES[child.key] ?? known(child.key, child.preset)}`,
      ];
    }),
  ];
}

function known(key: string, preset: string): string {
  if (preset === '') throw new Error(`agent.yaml: there is no example for ${key}`);
  return preset;
}

/** A comment also where the line below is none. */
function explained({ what, preset }: DescribedKey, indent: string): string[] {
  const text = `${what.replaceAll('`', '')}${preset === '' ? '' : ` (default: ${preset})`}`;
  return wrapped(text, WIDTH - indent.length).map((line) =>
    indent === '' ? `# ${line}` : `#${indent}# ${line}`,
  );
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
