/** DESIGN 7: who may import whom, who may use which package, who may touch the process. */

/** The folders of src/ and, for a folder in a folder that is a layer of its own, its path. */
export const LAYERS: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  util: ['errors'],
  puppet: ['errors', 'util'],
  protocol: ['errors', 'util'],
  pki: ['errors', 'util', 'protocol'],
  config: ['errors', 'util', 'protocol', 'pki', 'puppet'],
  transport: ['errors', 'util', 'protocol'],
  'transport/https': ['errors', 'util', 'protocol', 'pki', 'transport'],
  agent: ['errors', 'util', 'protocol', 'pki', 'puppet', 'transport'],
  controller: ['errors', 'util', 'protocol', 'pki', 'puppet', 'config', 'transport'],
  report: ['errors', 'util', 'protocol', 'controller'],
  cli: ['*'],
  bin: ['errors', 'cli'],
};

/**
 * The rooms of a layer: its folders, and the files that stand in its hall. A layer that is not named
 * here is one room: files only. A file elsewhere belongs to no room.
 */
export const ROOMS: Readonly<Record<string, { folders: readonly string[]; files: readonly string[] }>> = {
  agent: {
    folders: [
      'admission',
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
  controller: {
    folders: [
      'fleet',
      'jobs',
      'rollout',
      'targeting',
      'targeting/bolt',
      'targeting/nodeset',
      'targeting/puppetdb',
    ],
    files: [
      'choose-hosts',
      'controller',
      'execute-job',
      'find-jobs',
      'follow-job',
      'host-log',
      'job-lock',
      'job-metrics',
      'open-sources',
      'plan-job',
      'resume-job',
      'site',
      'stop-job',
      'stop-orders',
    ],
  },
  cli: {
    folders: ['agent', 'commands', 'completion', 'demo', 'help', 'options'],
    files: [
      'command-first',
      'confirm',
      'context',
      'controller-commands',
      'did-you-mean',
      'open-controller',
      'open-sender',
      'program',
      'report-error',
      'terminal',
      'version',
      'who',
    ],
  },
  'transport/https': { folders: ['client', 'listener'], files: ['limits', 'tls-options'] },
};

/** The layer of a file, by its path under src/ with forward slashes; undefined: it belongs to none. */
export function layerOf(path: string): string | undefined {
  const [first = '', second] = path.split('/');
  if (second === undefined) {
    const name = first.replace(/\.ts$/, '');
    return name === 'errors' || name === 'bin' ? name : undefined;
  }
  const nested = `${first}/${second}`;
  if (Object.hasOwn(LAYERS, nested)) return nested;
  return Object.hasOwn(LAYERS, first) ? first : undefined;
}

/** Whether a file stands in a room of its layer. */
export function hasRoom(path: string, layer: string): boolean {
  if (!path.startsWith(`${layer}/`)) return true; // errors.ts, bin.ts
  const inside = path.slice(layer.length + 1).replace(/\.ts$/, '');
  const end = inside.lastIndexOf('/');
  const { folders = [], files } = ROOMS[layer] ?? {};
  if (end < 0) return files === undefined || files.includes(inside);
  return folders.includes(inside.slice(0, end));
}

/** Packages that only these layers may import. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  express: ['transport/https'],
  pino: ['cli', 'report'],
  commander: ['cli'],
  'node-forge': ['pki'],
  'proper-lockfile': ['util'],
};

/** What of the process only some files may touch. */
export const PROCESS_RULES: readonly {
  pattern: RegExp;
  what: string;
  /** Paths under src/. */
  may: RegExp;
}[] = [
  {
    pattern: /\bprocess\??\.(stdout|stderr)\b/,
    what: 'touches stdout or stderr; only cli/terminal.ts does',
    // bin.ts answers --version by itself, which must cost a bare Node.
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
];

/** Lines that a file and a function may have without a reason (`Long because …`) in their first lines. */
export const MAX_FILE_LINES = 250;
export const MAX_FUNCTION_LINES = 60;

/** Files, under src/, that are not yet so; the list only shrinks. */
export const STILL_LONG: ReadonlySet<string> = new Set([
  'cli/commands/jobs.ts',
  'cli/commands/pki.ts',
  'controller/jobs/job-index.ts',
  'controller/rollout/host-run.ts',
  'controller/targeting/groups.ts',
  'controller/targeting/puppetdb/client.ts',
  'report/human.ts',
]);
