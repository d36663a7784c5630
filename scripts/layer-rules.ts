/** DESIGN 7: who may import whom, who may use which package, who may touch the process. */

/** `types` beside a layer's name: only its types. */
export type Allowed = string | { types: string };

/** The folders of src/, and the two layers that are a file or a folder in a folder. */
export const LAYERS: Readonly<Record<string, readonly Allowed[]>> = {
  errors: [],
  util: ['errors'],
  puppet: ['errors', 'util'],
  protocol: ['errors', 'util'],
  // What a certname is stands in protocol/names.ts and nowhere else.
  pki: ['errors', 'util', 'protocol'],
  transport: ['errors', 'util', { types: 'protocol' }],
  'transport/https': ['errors', 'util', 'protocol', 'pki', 'transport'],
  agent: ['errors', 'util', 'protocol', 'pki', 'transport', 'puppet'],
  controller: ['errors', 'util', 'protocol', 'pki', 'transport'],
  report: ['errors', 'util', 'protocol', { types: 'controller' }],
  config: ['errors', 'util', 'protocol', 'agent', 'controller'],
  cli: ['*'],
  bin: ['errors', 'cli'],
};

/** The layer of a file, by its path under src/ with forward slashes; undefined: it belongs to none. */
export function layerOf(path: string): string | undefined {
  const [first = '', second] = path.split('/');
  if (second === undefined) {
    const name = first.replace(/\.ts$/, '');
    return name === 'errors' || name === 'bin' ? name : undefined;
  }
  if (first === 'transport' && second === 'https') return 'transport/https';
  return Object.hasOwn(LAYERS, first) ? first : undefined;
}

/** Packages that only these layers may import. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  express: ['transport/https'],
  pino: ['cli'],
  commander: ['cli'],
  'node-forge': ['pki'],
  'proper-lockfile': ['util'],
};

/** Modules of which nobody may import more than types, and what to use instead. */
export const TYPES_ONLY: Readonly<Record<string, string>> = {
  'node:http': 'util/node-http.ts',
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
    pattern: /\bprocess\??\.(argv|env|exitCode|exit\()/,
    what: 'reads argv or the environment, or sets the exit status; only cli does',
    may: /^(cli\/|bin\.ts$)/,
  },
  {
    pattern: /\bfrom 'node:process'/,
    what: 'imports node:process, which hides what it touches; use the global',
    may: /^$/,
  },
];
