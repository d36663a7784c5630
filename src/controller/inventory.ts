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

export const InventorySchema = v.strictObject({
  targets: v.optional(
    v.pipe(
      v.array(TargetSchema),
      v.checkItems(
        (entry, index, all) => namedBefore(entry, index, all) === undefined,
        (issue) => {
          const { input } = issue as { input: Entry };
          return `one of its names (${[input.name, ...input.alias].join(', ')}) is another host's above`;
        },
      ),
    ),
    [],
  ),
});

type Entry = v.InferOutput<typeof TargetSchema>;

/** The first place of each name, for each list once: a list may be long. */
const places = new WeakMap<readonly Entry[], Map<string, number>>();

function placesOf(all: readonly Entry[]): Map<string, number> {
  const known = places.get(all);
  if (known !== undefined) return known;
  const first = new Map<string, number>();
  for (const [index, { name, alias }] of all.entries()) {
    for (const one of [name, ...alias]) if (!first.has(one)) first.set(one, index);
  }
  places.set(all, first);
  return first;
}

/** A name of the entry that an earlier one has, too. */
function namedBefore({ name, alias }: Entry, index: number, all: readonly Entry[]): string | undefined {
  const first = placesOf(all);
  return [name, ...alias].find((one) => (first.get(one) ?? index) < index);
}

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
