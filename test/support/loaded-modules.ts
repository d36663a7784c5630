/** What a program of Node's has loaded by its end. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Lists what Node has loaded when it ends: ESM by a hook (Node 20 has only the older kind), CommonJS by its cache. */
const LISTING = `
import { appendFileSync } from 'node:fs';
import module, { createRequire } from 'node:module';
const list = process.env.KICK_TEST_MODULES;
const load = (url, context, next) => {
  appendFileSync(list, url + '\\n');
  return next(url, context);
};
if (module.registerHooks !== undefined) module.registerHooks({ load });
else module.register('data:text/javascript,' + encodeURIComponent(\`
  import { appendFileSync } from 'node:fs';
  export async function load(url, context, next) {
    appendFileSync(\${JSON.stringify(list)}, url + '\\\\n');
    return next(url, context);
  }\`));
const { cache } = createRequire(import.meta.url);
process.on('exit', () => appendFileSync(list, Object.keys(cache).join('\\n')));
`;

export interface ModuleList {
  /** Arguments of Node, and variables, with which a program notes what it loads. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Paths and URLs that match, each once. */
  of(pattern: RegExp): string[];
  /** Modules of kick's own: `cli/program.js`. */
  own(): string[];
}

/** `folder`: where it is noted. */
export function listModules(folder: string): ModuleList {
  const [hook, list] = [join(folder, 'hook.mjs'), join(folder, 'modules')];
  writeFileSync(hook, LISTING);
  writeFileSync(list, '');
  const of = (pattern: RegExp) => [
    ...new Set(
      readFileSync(list, 'utf8')
        .split('\n')
        .filter((name) => pattern.test(name)),
    ),
  ];
  return {
    args: ['--import', hook],
    env: { KICK_TEST_MODULES: list },
    of,
    own: () =>
      of(/\/dist\/.*\.js$/).flatMap((name) => /(?<!node_modules\/.*)\/dist\/(.*)$/.exec(name)?.[1] ?? []),
  };
}
