/** What the gate does, in its order: quick things first. */
import { NEWEST_NODE, NODES, OLDEST_NODE } from './nodes.ts';

export interface Step {
  name: string;
  what: string;
  command: readonly string[];
  /** What must be installed for it: commands in PATH or files, and the packages that bring them. */
  needs?: Readonly<Record<string, string>>;
  /** The Nodes that it needs, fetched where they are not there yet. */
  nodes?: readonly string[];
  /** The one of them that it runs on; undefined: ours. */
  node?: string;
  /** The step that it runs beside, where that one runs: it leaves a processor idle for long. */
  beside?: string;
  /** Not part of the whole: only where it is named. */
  apart?: true;
}

const PUPPET: Readonly<Record<string, string>> = {
  puppet: 'puppet-agent',
  puppetserver: 'puppetserver',
  curl: 'curl',
  // Without dbconfig-no-thanks the package would set up a database of its own.
  '/usr/share/puppetdb/puppetdb.jar': 'puppetdb dbconfig-no-thanks',
  '/usr/lib/ruby/vendor_ruby/puppet/indirector/facts/puppetdb.rb': 'puppet-terminus-puppetdb',
  psql: 'postgresql',
};

/**
 * TLS, HTTP, processes, files and certificates. The rest is the same program on every Node, and what runs it against real
 * Puppet and other programs does so on the Node that the gate itself runs on.
 */
const DEPENDS_ON_NODE = ['agent', 'pki', 'protocol', 'torture', 'transport', 'util'].map(
  (folder) => `test/${folder}/`,
);

/** Tests against the Puppet in a folder of its own, see test/lab/puppet-root. */
function inRoot(root: string, puppet: string): Step {
  return {
    name: root,
    what: `tests against ${puppet}`,
    command: ['test/lab/puppet-root', 'run', root, 'vitest', 'run', '--project', 'puppet'],
    needs: {
      debootstrap: 'debootstrap',
      '/usr/share/keyrings/debian-archive-keyring.gpg': 'debian-archive-keyring',
    },
    apart: true,
  };
}

export const STEPS: readonly Step[] = [
  { name: 'lint', what: 'format and lint', command: ['biome', 'check', '--error-on-warnings', '.'] },
  { name: 'types', what: 'types', command: ['tsc', '--noEmit'] },
  { name: 'layers', what: 'layers and import circles', command: ['tsx', 'scripts/layers.ts'] },
  { name: 'build', what: 'build', command: ['npm', 'run', '--silent', 'build'] },
  {
    name: 'unit',
    what: `unit and integration tests on Node ${NEWEST_NODE}`,
    command: ['vitest', 'run', '--project', 'unit'],
    nodes: [NEWEST_NODE],
    node: NEWEST_NODE,
  },
  {
    name: 'oldest',
    what: `those of what depends on Node, on Node ${OLDEST_NODE}`,
    command: ['vitest', 'run', '--project', 'unit', ...DEPENDS_ON_NODE],
    nodes: [OLDEST_NODE],
    node: OLDEST_NODE,
  },
  {
    name: 'nodes',
    what: "the agent's unit on every Node",
    command: ['vitest', 'run', '--project', 'nodes'],
    nodes: NODES,
    beside: 'puppet',
  },
  {
    name: 'interop',
    what: 'tests against other programs',
    command: ['vitest', 'run', '--project', 'interop'],
    beside: 'puppet',
    needs: {
      bash: 'bash',
      nodeset: 'clustershell',
      openssl: 'openssl',
      'systemd-analyze': 'systemd',
      logger: 'bsdutils',
      mandoc: 'mandoc',
      ruby: 'ruby',
      setfacl: 'acl',
      zsh: 'zsh',
    },
  },
  {
    name: 'web',
    what: 'the page in a browser',
    command: ['vitest', 'run', '--project', 'web'],
    beside: 'puppet',
    needs: {
      chromium: 'chromium',
      '/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc': 'fonts-noto-cjk',
    },
  },
  {
    name: 'puppet',
    what: 'tests against real Puppet',
    command: ['vitest', 'run', '--project', 'puppet'],
    needs: PUPPET,
  },
  inRoot('puppet8', 'Puppet 8'),
  inRoot('openvox', 'OpenVox 9'),
];
