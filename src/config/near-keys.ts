/** Names the key that was probably meant where a schema does not know one. */
import type * as v from 'valibot';
import { nearestWord } from '../util/edits.ts';
import { type Problem, UNKNOWN_KEY } from '../util/schema.ts';

/** The same problems: `prot: not known here; did you mean "port"`. */
export function withNearKeys(schema: v.GenericSchema, problems: readonly Problem[]): Problem[] {
  return problems.map((problem) => {
    if (problem.message !== UNKNOWN_KEY) return problem;
    const [key = '', ...below] = problem.path;
    if (below.length === 0 && FOLDERS.includes(key)) return { ...problem, message: elsewhere(key) };
    const near = nearestWord(
      (problem.path.at(-1) ?? '').replaceAll('-', '_'),
      keysAt(schema, problem.path.slice(0, -1)),
    );
    const next =
      near === undefined ? 'remove it, or upgrade kick if a newer one knows it' : `did you mean "${near}"`;
    return { ...problem, message: `${UNKNOWN_KEY}; ${next}` };
  });
}

/** Options that say where everything is; agent.yaml has some of them. */
const FOLDERS: readonly string[] = ['certname', 'config_dir', 'pki_dir', 'puppet', 'run_dir', 'state_dir'];

const elsewhere = (key: string) =>
  `${UNKNOWN_KEY}; it is given by --${key.replace('_', '-')}, or by the variable KICK_${key.toUpperCase()}`;

/** What valibot's schemas are made of. */
interface Parts {
  wrapped?: Parts;
  entries?: Readonly<Record<string, Parts>>;
  item?: Parts;
  value?: Parts;
  options?: readonly Parts[];
}

/** The keys that a mapping at this path may have; none if that is not clear. */
function keysAt(schema: v.GenericSchema, path: readonly string[]): string[] {
  let here: Parts[] = [schema as Parts];
  for (const key of path) {
    here = here.flatMap(insideOf).flatMap(({ entries, item, value }) => {
      const next = entries?.[key] ?? item ?? value;
      return next === undefined ? [] : [next];
    });
  }
  return here.flatMap(insideOf).flatMap(({ entries = {} }) => Object.keys(entries));
}

/** Without what only wraps it; a union may be any of its options. */
function insideOf(schema: Parts): Parts[] {
  const { wrapped, options } = schema;
  if (wrapped !== undefined) return insideOf(wrapped);
  if (options?.every((option) => typeof option === 'object')) return options.flatMap(insideOf);
  return [schema];
}
