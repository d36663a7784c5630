/** What the gate does, in its order: quick things first, and of those that run beside others the longest. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../tools/program.ts';
import { NEWEST_NODE, NODES, OLDEST_NODE, PACKAGED_NODE } from './nodes.ts';

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
  /** Runs beside another of these: it leaves a processor idle for long. */
  beside?: true;
  /** What others do not answer is skipped in continuous integration as well. */
  asksOthers?: true;
  /** Not part of the whole, only where it is named: it takes long, or needs more rights than a container may have. */
  apart?: 'long' | 'rights';
}

const PUPPET: Readonly<Record<string, string>> = {
  puppet: 'puppet-agent',
  puppetserver: 'puppetserver',
  curl: 'curl',
  ip: 'iproute2',
  // Without dbconfig-no-thanks the package would set up a database of its own.
  '/usr/share/puppetdb/puppetdb.jar': 'puppetdb dbconfig-no-thanks',
  '/usr/lib/ruby/vendor_ruby/puppet/indirector/facts/puppetdb.rb': 'puppet-terminus-puppetdb',
  psql: 'postgresql',
  'nats-server': 'nats-server',
  chromium: 'chromium',
};

/**
 * TLS, HTTP, processes, signals, files and certificates. The rest is the same program on every Node, and what runs it
 * against real Puppet and other programs does so on the Node that the gate itself runs on.
 */
const DEPENDS_ON_NODE = ['agent', 'pki', 'protocol', 'torture', 'transport', 'util'];

/** But not these files of those folders: rules, tables and texts, and what becomes of damaged records. */
const SAME_ON_EVERY_NODE: Readonly<Record<string, readonly string[]>> = {
  agent: [
    ...['accepting', 'admission', 'admission-clocks', 'cached-catalog', 'clock-set', 'damage', 'damage-live'],
    ...['damage-single', 'disabling', 'judge', 'last-run', 'log-findings', 'metrics', 'puppet-settings'],
    ...['puppet-status', 'queue-errors', 'report-resources', 'ruby-yaml', 'schedule', 'slots', 'stored'],
  ],
  transport: ['crowd'],
  util: ['fit', 'pace', 'text', 'versions'],
};

/** The test files that the oldest Node runs: a new one in these folders is among them. */
function filesForOldest(): string[] {
  return DEPENDS_ON_NODE.flatMap((folder) => {
    const others = new Set((SAME_ON_EVERY_NODE[folder] ?? []).map((name) => `${name}.test.ts`));
    const all = readdirSync(join(ROOT, 'test', folder)).filter((name) => name.endsWith('.test.ts'));
    const unknown = [...others].filter((name) => !all.includes(name));
    if (unknown.length > 0) throw new Error(`no such files in test/${folder}: ${unknown.join(', ')}`);
    return all.filter((name) => !others.has(name)).map((name) => `test/${folder}/${name}`);
  });
}

/**
 * Files of test/puppet that `npm test` leaves to `npm run test:puppet`: what is around a run. Outcomes, one run at a time,
 * and what is killed in the middle of a run are tried at each change.
 */
const LEFT_TO_THE_LONG = ['nats', 'page', 'pull', 'puppet-conf', 'puppetdb', 'switching', 'upgrade'].map(
  (name) => `test/puppet/${name}.test.ts`,
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
    apart: 'rights',
  };
}

export const STEPS: readonly Step[] = [
  { name: 'lint', what: 'format and lint', command: ['biome', 'check', '--error-on-warnings', '.'] },
  { name: 'types', what: 'types', command: ['tsc', '--noEmit'] },
  { name: 'layers', what: 'layers and import circles', command: ['tsx', 'scripts/layers.ts'] },
  {
    name: 'audit',
    what: 'npm audit of what runs',
    command: ['tsx', 'scripts/audit.ts'],
    asksOthers: true,
  },
  { name: 'build', what: 'build', command: ['npm', 'run', '--silent', 'build'] },
  {
    name: 'puppet',
    what: 'tests against real Puppet',
    command: ['vitest', 'run', '--project', 'puppet', ...LEFT_TO_THE_LONG.map((file) => `--exclude=${file}`)],
    needs: PUPPET,
    beside: true,
  },
  {
    name: 'puppet-long',
    what: 'the others against real Puppet',
    command: ['vitest', 'run', '--project', 'puppet', ...LEFT_TO_THE_LONG],
    needs: PUPPET,
    apart: 'long',
  },
  {
    name: 'unit',
    what: `unit and integration tests on Node ${NEWEST_NODE}`,
    command: ['vitest', 'run', '--project', 'unit'],
    nodes: [NEWEST_NODE],
    node: NEWEST_NODE,
    beside: true,
  },
  {
    name: 'interop',
    what: 'tests against other programs',
    command: ['vitest', 'run', '--project', 'interop'],
    beside: true,
    nodes: [PACKAGED_NODE],
    needs: {
      bash: 'bash',
      dh: 'debhelper',
      lintian: 'lintian',
      strip: 'binutils',
      nodeset: 'clustershell',
      openssl: 'openssl',
      'systemd-analyze': 'systemd',
      faketime: 'faketime',
      fish: 'fish',
      gpg: 'gnupg',
      ip: 'iproute2',
      logger: 'bsdutils',
      mandoc: 'mandoc',
      'nats-server': 'nats-server',
      python3: 'python3',
      ruby: 'ruby',
      setfacl: 'acl',
      zsh: 'zsh',
    },
  },
  {
    name: 'oldest',
    what: `those of what depends on Node, on Node ${OLDEST_NODE}`,
    command: ['vitest', 'run', '--project', 'unit', ...filesForOldest()],
    nodes: [OLDEST_NODE],
    node: OLDEST_NODE,
    beside: true,
  },
  {
    name: 'web',
    what: 'the page in a browser',
    command: ['vitest', 'run', '--project', 'web'],
    beside: true,
    needs: {
      chromium: 'chromium',
      '/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc': 'fonts-noto-cjk',
    },
  },
  {
    name: 'nodes',
    what: "every Node, and the packages' own",
    command: ['vitest', 'run', '--project', 'nodes'],
    nodes: NODES,
    needs: { strip: 'binutils' },
    beside: true,
  },
  {
    name: 'module',
    what: 'the Puppet module',
    command: ['vitest', 'run', '--project', 'module'],
    beside: true,
    needs: {
      puppet: 'puppet-agent',
      'puppet-lint': 'puppet-lint',
      'rspec-puppet-init': 'ruby-rspec-puppet',
      '/usr/share/doc/puppet-strings': 'puppet-strings',
    },
  },
  inRoot('puppet8', 'Puppet 8'),
  inRoot('openvox', 'OpenVox 9'),
  {
    name: 'packages',
    what: 'the packages in Debian 12 and 13, booted with systemd',
    command: ['test/lab/machine', 'run', 'vitest', 'run', '--project', 'packages'],
    needs: {
      dh: 'debhelper',
      strip: 'binutils',
      lintian: 'lintian',
      rpmbuild: 'rpm',
      rpmlint: 'rpmlint',
      'systemd-analyze': 'systemd',
      debootstrap: 'debootstrap',
      '/usr/share/keyrings/debian-archive-keyring.gpg': 'debian-archive-keyring',
      pgrep: 'procps',
    },
    apart: 'rights',
  },
];
