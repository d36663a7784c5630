/** inventory.yaml: names and addresses of hosts whose certname alone does not tell them. */
import * as v from 'valibot';
import { CertnameSchema } from '../protocol/names.ts';

const UriSchema = v.pipe(
  v.string(),
  v.check(
    (text) => parseAddress(text) !== undefined,
    'not an address: write host, host:port or [address]:port',
  ),
);
const AliasSchema = v.pipe(
  v.union([CertnameSchema, v.array(CertnameSchema)]),
  v.transform((alias) => [alias].flat()),
);

const TargetSchema = v.union(
  [
    v.pipe(
      CertnameSchema,
      v.transform((name) => ({ name, alias: [] as string[], uri: undefined as string | undefined })),
    ),
    v.strictObject({ name: CertnameSchema, alias: v.optional(AliasSchema, []), uri: v.optional(UriSchema) }),
  ],
  (issue) => deepest(issue),
);

/** The message of what is wrong inside an entry, not that the entry is wrong. */
function deepest({ issues }: v.UnionIssue<v.BaseIssue<unknown>>): string {
  const inner = issues?.find(({ path }) => path !== undefined);
  const key = inner?.path?.map((item) => String(item.key)).join('.');
  if (inner === undefined) return 'neither a certname nor {name, alias, uri}';
  return `${key}: ${inner.type === 'strict_object' ? 'missing or not known here' : inner.message}`;
}

export const InventorySchema = v.pipe(
  v.strictObject({ targets: v.optional(v.array(TargetSchema), []) }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const seen = new Map<string, number>();
    for (const [index, { name, alias }] of dataset.value.targets.entries()) {
      for (const one of new Set([name, ...alias])) {
        const first = seen.get(one);
        if (first === undefined) seen.set(one, index);
        else {
          const item = {
            type: 'array',
            origin: 'value',
            input: dataset.value.targets,
            key: index,
            value: one,
          } as const;
          const targets = {
            type: 'object',
            origin: 'value',
            input: dataset.value,
            key: 'targets',
            value: one,
          } as const;
          addIssue({
            message: `"${one}" names two hosts (see targets.${first})`,
            path: [targets as unknown as v.IssuePathItem, item as unknown as v.IssuePathItem] as never,
          });
        }
      }
    }
  }),
);

export type Inventory = v.InferOutput<typeof InventorySchema>;
export type InventoryEntry = Inventory['targets'][number];

export interface Address {
  host: string;
  port?: number;
}

/** `host`, `host:port`, `[::1]:port`; undefined when it is none of them. */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]{1,253}))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (match === null || host === undefined) return undefined;
  const port = match[3] === undefined ? undefined : Number(match[3]);
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  return { host, ...(port !== undefined && { port }) };
}
