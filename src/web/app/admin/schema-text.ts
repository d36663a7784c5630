/** A JSON schema as a person would write it down. */

export interface Schema {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  description?: string;
  minimum?: number;
  maximum?: number;
  $ref?: string;
}

export function schemaText(schema: Schema | undefined, indent = ''): string {
  if (schema === undefined) return 'anything';
  const { type, enum: values, items, properties, minimum, maximum } = schema;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (values !== undefined) return values.map((one) => JSON.stringify(one)).join(' | ');
  const either = schema.anyOf ?? schema.oneOf;
  if (either !== undefined) return either.map((one) => schemaText(one, indent)).join(' | ');
  if (schema.allOf !== undefined) return schema.allOf.map((one) => schemaText(one, indent)).join(' & ');
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1) ?? '';
  if (properties !== undefined) return objectText(schema, properties, indent);
  if (type === 'array') return `[${schemaText(items, indent)}, …]`;
  const range = minimum === undefined && maximum === undefined ? '' : ` ${minimum ?? ''}…${maximum ?? ''}`;
  return `${type ?? 'anything'}${range}`;
}

function objectText({ required = [] }: Schema, properties: Record<string, Schema>, indent: string): string {
  const inner = `${indent}  `;
  const lines = Object.entries(properties).map(([name, one]) => {
    const mark = required.includes(name) ? '' : '?';
    const note = one.description === undefined ? '' : `   // ${one.description}`;
    return `${inner}${name}${mark}: ${schemaText(one, inner)}${note}`;
  });
  return lines.length === 0 ? '{}' : `{\n${lines.join('\n')}\n${indent}}`;
}
