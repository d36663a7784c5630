/** A value for a schema of valibot's, in which every text that is not a name is ours: no field is forgotten, nor one to come. */
import * as v from 'valibot';

export interface Filling {
  text: string;
  /** Which one of a list of words, and true or false. */
  choice: number;
}

/** The parts of valibot's schemas that this reads. */
interface Node {
  type: string;
  kind: string;
  pipe?: readonly Node[];
  entries?: Record<string, Node>;
  wrapped?: Node;
  item?: Node;
  value?: Node;
  options?: readonly unknown[];
  requirement?: unknown;
  literal?: unknown;
}

/** For texts that must look like something: a UUID, a SHA-256. */
const LOOKING_LIKE = ['01890a5d-ac96-774b-bcce-b302099a8057', '0f'.repeat(32)];

/** Throws if it does not fit the schema, which is then of a kind that is not known here. */
export function fill(schema: v.GenericSchema, filling: Filling): unknown {
  const value = valueFor(schema as unknown as Node, filling);
  v.parse(schema, value);
  return value;
}

function valueFor(node: Node, filling: Filling): unknown {
  const { type, pipe, entries, wrapped, item, options = [] } = node;
  if (pipe !== undefined && pipe.length > 1) return pipedValue(pipe, filling);
  if (wrapped !== undefined) return valueFor(wrapped, filling);
  switch (type) {
    case 'string':
      return filling.text;
    case 'number':
      return 1 + filling.choice;
    case 'boolean':
      return filling.choice % 2 === 0;
    case 'literal':
      return node.literal;
    case 'picklist':
      return options[filling.choice % options.length];
    case 'array':
      return item === undefined ? [] : [valueFor(item, filling)];
    case 'record':
      return { [filling.text]: valueFor(node.value as Node, filling) };
    case 'object':
    case 'loose_object':
    case 'strict_object':
      return Object.fromEntries(
        Object.entries(entries ?? {}).map(([key, one]) => [key, valueFor(one, filling)]),
      );
  }
  throw new Error(`no value for a schema of type ${type}`);
}

/** The last schema of a pipe says most. */
function pipedValue(pipe: readonly Node[], filling: Filling): unknown {
  const schemas = pipe.filter(({ kind }) => kind === 'schema');
  const last = schemas.at(-1) as Node;
  const looks = pipe.find(({ type }) => type === 'regex')?.requirement;
  if (last.type === 'string' && looks instanceof RegExp)
    return LOOKING_LIKE.find((text) => looks.test(text)) ?? filling.text;
  if (last.type === 'number') return Math.max(1 + filling.choice, Number(leastOf(pipe) ?? 0));
  return valueFor({ ...last, ...withoutPipe }, filling);
}

const withoutPipe = { pipe: [] };

const leastOf = (pipe: readonly Node[]) => pipe.find(({ type }) => type === 'min_value')?.requirement;
