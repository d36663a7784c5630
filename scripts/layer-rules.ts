/** DESIGN 7: who may import whom, who may use which package, who may touch the process. */

/** The folders of src/ and, for a folder in a folder that is a layer of its own, its path. */
export const LAYERS: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  util: ['errors'],
  puppet: ['errors', 'util'],
  protocol: ['errors', 'util'],
  conditions: ['errors', 'util', 'protocol'],
  pki: ['errors', 'util', 'protocol'],
  config: ['errors', 'util', 'protocol', 'pki', 'puppet'],
  transport: ['errors', 'util', 'protocol'],
  'transport/tls': ['errors', 'util', 'protocol', 'pki', 'transport'],
  'transport/guard': ['errors', 'util'],
  'transport/https': ['errors', 'util', 'protocol', 'pki', 'transport', 'transport/tls', 'transport/guard'],
  'transport/nats': ['errors', 'util', 'protocol', 'pki', 'transport', 'transport/tls'],
  enrolment: [
    'errors',
    'util',
    'protocol',
    'pki',
    'transport',
    'transport/tls',
    'transport/guard',
    'transport/https',
  ],
  agent: ['errors', 'util', 'protocol', 'conditions', 'pki', 'puppet', 'transport'],
  controller: ['errors', 'util', 'protocol', 'conditions', 'pki', 'puppet', 'config', 'transport'],
  report: ['errors', 'util', 'protocol', 'conditions', 'controller'],
  'web/api': ['errors', 'util', 'protocol'],
  'web/server': [
    'errors',
    'util',
    'protocol',
    'conditions',
    'pki',
    'config',
    'transport/guard',
    'controller',
    'report',
    'web/api',
  ],
  /** The page: of the rest it may know types only, so that nothing of it is in what browsers load. */
  'web/app': ['web/api', 'protocol'],
  cli: ['*'],
  bin: ['errors', 'cli'],
};

/**
 * The rooms of a layer: its folders, and the files directly in it. A layer that is not listed here is one
 * room: files only. Any other file belongs to no room.
 */
export const ROOMS: Readonly<Record<string, { folders: readonly string[]; files: readonly string[] }>> = {
  agent: {
    folders: [
      'admission',
      'discovery',
      'doctor',
      'judge',
      'metrics',
      'puppet',
      'queue',
      'requests',
      'runners',
      'runs',
      'schedule',
    ],
    files: [
      'agent',
      'commands',
      'disabling',
      'layout',
      'open-parts',
      'options',
      'service',
      'standing',
      'status',
    ],
  },
  conditions: {
    folders: ['nodeset'],
    files: ['fact-condition', 'fact-patterns', 'judge-facts', 'problem', 'reported', 'unknown-fact', 'where'],
  },
  controller: {
    folders: ['fleet', 'jobs', 'rollout', 'targeting', 'targeting/bolt', 'targeting/puppetdb'],
    files: [
      'choose-hosts',
      'controller',
      'count-fact',
      'count-facets',
      'discover-hosts',
      'execute-job',
      'find-jobs',
      'follow-job',
      'group-command',
      'host-jobs',
      'host-log',
      'job-lock',
      'job-metrics',
      'known-hosts',
      'open-inventory',
      'open-sources',
      'plan-job',
      'puppets-own',
      'resume-job',
      'revoked-names',
      'site',
      'stop-job',
      'stop-orders',
    ],
  },
  cli: {
    folders: ['agent', 'commands', 'completion', 'demo', 'help', 'nats', 'options', 'serve'],
    files: [
      'become-owner',
      'command-first',
      'command-table',
      'commander',
      'confirm',
      'context',
      'did-you-mean',
      'json-log',
      'open-broker',
      'open-controller',
      'open-sender',
      'own-identity',
      'print',
      'program',
      'report-error',
      'terminal',
      'version',
      'version-details',
      'who',
    ],
  },
  'web/server': {
    folders: ['access', 'handlers', 'http', 'jobs', 'schedules'],
    files: ['app', 'audit', 'choices', 'context', 'metrics', 'open-server'],
  },
  'web/app': {
    folders: [
      'admin',
      'api',
      'fleet',
      'host',
      'job',
      'jobs',
      'kick',
      'parts',
      'schedules',
      'shell',
      'sign-in',
      'text',
      'theme',
    ],
    files: ['main', 'router'],
  },
  'transport/https': {
    folders: ['client', 'helper', 'listener'],
    files: ['limits', 'media-types', 'server-options'],
  },
};

/** The layer of a file, by its path under src/ with forward slashes; undefined if it belongs to none. */
export function layerOf(path: string): string | undefined {
  const [first = '', second] = path.split('/');
  if (second === undefined) {
    const name = first.replace(/\.tsx?$/, '');
    return name === 'errors' || name === 'bin' ? name : undefined;
  }
  const nested = `${first}/${second}`;
  if (Object.hasOwn(LAYERS, nested)) return nested;
  return Object.hasOwn(LAYERS, first) ? first : undefined;
}

/** Whether a file is in a room of its layer. */
export function hasRoom(path: string, layer: string): boolean {
  if (!path.startsWith(`${layer}/`)) return true; // errors.ts, bin.ts
  const inside = path.slice(layer.length + 1).replace(/\.tsx?$/, '');
  const end = inside.lastIndexOf('/');
  const { folders = [], files } = ROOMS[layer] ?? {};
  if (end < 0) return files === undefined || files.includes(inside);
  return folders.includes(inside.slice(0, end));
}

/** What stands beside src/, and the folders that it may import; tests may import all of it. */
export const NEIGHBOURS: Readonly<Record<string, readonly string[]>> = {
  tools: ['src', 'tools'],
  scripts: ['src', 'tools', 'scripts'],
  bench: ['src', 'tools', 'scripts', 'bench', 'test/lab'],
};

/** Layers that may import nothing but types from any other. */
export const TYPES_ONLY: readonly string[] = ['web/app'];

/** Packages that only these layers may import. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  express: ['transport/https', 'web/server'],
  croner: ['web/server'],
  helmet: ['web/server'],
  'openid-client': ['web/server'],
  '@valibot/to-json-schema': ['web/api'],
  react: ['web/app'],
  'react-dom': ['web/app'],
  '@mantine': ['web/app'],
  '@tanstack': ['web/app'],
  pino: ['cli', 'report'],
  commander: ['cli'],
  'node-forge': ['pki'],
  '@nats-io': ['transport/nats'],
  'proper-lockfile': ['util'],
};

/** Parts of the process, and dangerous calls, that only some files may use. */
export const PROCESS_RULES: readonly {
  pattern: RegExp;
  what: string;
  /** Paths under src/. */
  may: RegExp;
}[] = [
  {
    pattern: /\bprocess\??\.(stdout|stderr)\b/,
    what: 'touches stdout or stderr; only cli/terminal.ts does',
    // bin.ts answers --version itself, which must not take longer than a bare Node.
    may: /^(cli\/terminal|bin)\.ts$/,
  },
  {
    pattern: /\bprocess\??\.(argv|env|exitCode|exit\(|stdin\b)/,
    what: 'reads argv, stdin or the environment, or sets the exit status; only cli does',
    may: /^(cli\/|bin\.ts$)/,
  },
  {
    pattern: /\bprocess\??\.(on|once|off)\(/,
    what: 'handles signals; only cli does',
    may: /^(cli\/|bin\.ts$)/,
  },
  {
    pattern: /\bfrom 'node:process'/,
    what: 'imports node:process, which hides what it touches; use the global',
    may: /^$/,
  },
  {
    pattern: /^import (?!type ).*from 'commander'/,
    what: 'imports commander itself; cli/commander.ts does, the way that is fast',
    may: /^$/,
  },
  {
    pattern: /\bv\.(number|string|bigint)\(/,
    what: 'checks numbers or text without bounds; util/bounds.ts has a schema for each kind',
    may: /^util\/bounds\.ts$/,
  },
  {
    // `new Date()` is now. Another time may be one that no Date can hold: toISOString and Intl throw for it.
    pattern: /\bnew Date\((?!\))|\.toISOString\(|\.toLocale[A-Z]\w*\(|\bIntl\./,
    what: 'shows a time that may be out of bounds; util/times.ts does that safely',
    // What Ruby writes, and our own certificates: both check their times first.
    may: /^(util\/(times|ruby-scalar)|pki\/make-certificate|web\/app\/text\/times)\.ts$/,
  },
];

/** Lines that a file and a function may have without a reason (`Long because …`) in their first lines. */
export const MAX_FILE_LINES = 250;
export const MAX_FUNCTION_LINES = 60;
