/**
 * Writes the data types of the Puppet module that are those of the configuration files, from the same schemas:
 *
 *     npm run docs        writes them, and the tables of the documents
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AgentConfigSchema } from '../src/config/agent-config.ts';
import { ControllerConfigSchema } from '../src/config/controller-config.ts';
import { agentKeys, controllerKeys, type DescribedKey } from '../src/config/keys.ts';
import { NatsConfigSchema } from '../src/config/nats-config.ts';
import { CertnameSchema, EnvironmentSchema, HostNameSchema } from '../src/protocol/names.ts';

const ROOT = join(import.meta.dirname, '..');
export const MODULE = join(ROOT, 'packaging', 'puppet-module');

/** What the types need of valibot's schemas. */
interface Schema {
  type: string;
  entries?: Record<string, Schema>;
  wrapped?: Schema;
  item?: Schema;
  key?: Schema;
  value?: Schema;
  literal?: unknown;
  options?: readonly unknown[];
  pipe?: readonly Action[];
}

interface Action {
  type: string;
  requirement?: unknown;
  pipe?: readonly Action[];
}

/** A longer text is a mistake that is not worth a word in each type. */
const MAX_TOLD = 4096;

interface Named {
  name: string;
  summary: string;
  schema: unknown;
  keys?: readonly DescribedKey[];
}

const NAMED: readonly Named[] = [
  { name: 'Kick::Certname', summary: 'The name in a certificate of Puppet', schema: CertnameSchema },
  { name: 'Kick::Environment', summary: 'A Puppet environment', schema: EnvironmentSchema },
  { name: 'Kick::Hostname', summary: 'A host name, or a domain', schema: HostNameSchema },
  { name: 'Kick::Nats', summary: 'Brokers (NATS) through which hosts are reached', schema: NatsConfigSchema },
  {
    ...{ name: 'Kick::Agent::Config', summary: 'The keys of agent.yaml', schema: AgentConfigSchema },
    keys: agentKeys(),
  },
  {
    ...{
      name: 'Kick::Controller::Config',
      summary: 'The keys of controller.yaml',
      schema: ControllerConfigSchema,
    },
    keys: controllerKeys(),
  },
];

/** The text of each generated file of the module, by its path in there. */
export function puppetTypes(): Map<string, string> {
  return new Map(
    NAMED.map((named) => {
      const path = `types/${named.name.split('::').slice(1).join('/').toLowerCase()}.pp`;
      return [path, aliasOf(named)];
    }),
  );
}

function aliasOf({ name, summary, schema, keys }: Named): string {
  const about =
    keys === undefined ? [] : ['', 'What is not set has the default of kick.', '', ...listOf(keys)];
  const comment = [`@summary ${summary}`, ...about, '', 'Written by `npm run docs` from the schema of kick.'];
  const lines = comment.map((line) => `# ${line}`.trimEnd()).join('\n');
  return `${lines}\ntype ${name} = ${typeOf(schema as Schema, { own: name })}\n`;
}

function listOf(keys: readonly DescribedKey[]): string[] {
  return keys.map(({ key, preset, what }) => {
    const isDefault = preset === '' ? '' : ` (default: ${preset})`;
    return `* \`${key}\`: ${what.replace(/:$/, '')}${isDefault}`;
  });
}

interface Place {
  /** The alias that is being defined, which is not its own name. */
  own?: string;
  indent?: number;
}

function typeOf(schema: Schema, { own, indent = 0 }: Place = {}): string {
  const named = NAMED.find((one) => one.schema === schema && one.name !== own);
  if (named !== undefined) return named.name;
  const inner = (one: unknown) => typeOf(one as Schema, { indent });
  const { type, wrapped, item, entries, options = [], literal, pipe = [] } = schema;
  if (flat(pipe).some((action) => action.type === 'raw_transform'))
    return type === 'union' ? 'Kick::Duration' : 'Kick::Natsserver';
  if (type === 'optional') return inner(wrapped);
  if (type === 'string') return textType(pipe);
  if (type === 'number') return `Integer[${bounds(pipe, 'value')}]`;
  if (type === 'boolean') return 'Boolean';
  if (type === 'unknown') return 'Data';
  if (type === 'literal') return typeof literal === 'boolean' ? `Boolean[${literal}]` : `Enum['${literal}']`;
  if (type === 'picklist') return `Enum[${options.map((one) => `'${one}'`).join(', ')}]`;
  if (type === 'union') return `Variant[${options.map(inner).join(', ')}]`;
  if (type === 'array') return `Array[${[inner(item), ...sizes(pipe)].join(', ')}]`;
  if (type === 'record') return `Hash[${inner(schema.key)}, ${inner(schema.value)}]`;
  if (type === 'strict_object') return struct(entries ?? {}, indent);
  throw new Error(`there is no data type of Puppet for "${type}" yet`);
}

function struct(entries: Readonly<Record<string, Schema>>, indent: number): string {
  const pad = ' '.repeat(indent + 2);
  const names = Object.entries(entries).map(([key, schema]) => ({
    key: schema.type === 'optional' ? `Optional['${key}']` : `'${key}'`,
    type: typeOf(schema, { indent: indent + 2 }),
  }));
  const width = Math.max(...names.map(({ key }) => key.length));
  const lines = names.map(({ key, type }) => `${pad}${key.padEnd(width)} => ${type},\n`);
  return `Struct[{\n${lines.join('')}${' '.repeat(indent)}}]`;
}

/** Puppet cannot tell more of a text than one thing; the strongest is told. */
function textType(pipe: readonly Action[]): string {
  const pattern = flat(pipe).find((action) => action.type === 'regex')?.requirement;
  if (pattern instanceof RegExp) return `Pattern[${rubyPattern(pattern)}]`;
  const has = (type: string, requirement?: unknown) =>
    flat(pipe).some(
      (one) => one.type === type && (requirement === undefined || one.requirement === requirement),
    );
  if (has('check', isAbsolute)) return 'Pattern[/\\A\\//]';
  if (has('url')) return 'Pattern[/\\A[A-Za-z][A-Za-z0-9+.-]*:\\S+\\z/]';
  if (has('ip')) return 'Pattern[/\\A[0-9A-Fa-f.:]+\\z/]';
  const max = flat(pipe).find((action) => action.type === 'max_length')?.requirement;
  return typeof max === 'number' && max <= MAX_TOLD ? `String[0, ${max}]` : 'String';
}

/** A pipe may be a part of another. */
function flat(pipe: readonly Action[]): Action[] {
  return pipe.flatMap((action) => [action, ...flat(action.pipe ?? [])]);
}

function bounds(pipe: readonly Action[], of: 'value' | 'length'): string {
  const bound = (type: string) => flat(pipe).find((action) => action.type === `${type}_${of}`)?.requirement;
  const min = bound('min') ?? 'default';
  const max = bound('max');
  return max === undefined || max === Number.MAX_SAFE_INTEGER ? `${min}` : `${min}, ${max}`;
}

function sizes(pipe: readonly Action[]): string[] {
  return flat(pipe).some((action) => /^(min|max)_length$/.test(action.type)) ? [bounds(pipe, 'length')] : [];
}

/** Ruby's `^` and `$` are those of a line, and its sets may contain sets. */
function rubyPattern({ source }: RegExp): string {
  let isInSet = false;
  const parts = source.match(/\\.|[\s\S]/g) ?? [];
  const text = parts.map((part) => {
    if (isInSet) {
      if (part === '[') return '\\[';
      if (part === ']') isInSet = false;
      return part;
    }
    if (part === '[') isInSet = true;
    if (part === '^') return '\\A';
    return part === '$' ? '\\z' : part;
  });
  return `/${text.join('')}/`;
}

function main(): void {
  for (const [path, text] of puppetTypes()) {
    const file = join(MODULE, path);
    mkdirSync(dirname(file), { recursive: true });
    if (read(file) !== text) writeFileSync(file, text);
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
