/** Which hosts, as the API is asked: the same choice as on the command line. */
import * as v from 'valibot';
import { count, longText, text, whole } from '../../util/bounds.ts';
import { boundedArray } from '../../util/schema.ts';
import { parseShare } from '../../util/share.ts';

const given = (max: number, what: string) =>
  v.pipe(
    text(max),
    v.check((value) => value.trim() !== '', 'it is empty, and names nobody'),
    v.description(what),
  );

/** `5` or `10%`. */
export const ShareSchema = v.pipe(
  longText,
  v.maxLength(16),
  v.check((value) => parseShare(value) !== undefined, 'write a number of hosts, 5, or a share of them, 10%'),
  v.description('A number of hosts, 5, or a share of them, 10%'),
);

export const seconds = (max: number, what: string) =>
  v.pipe(whole(0, max), v.description(`${what}, in seconds`));

export const ChoiceSchema = v.strictObject({
  hosts: v.optional(
    boundedArray(given(65_536, 'certnames, inventory names, web[01-20], web*, @group'), 1000),
  ),
  all: v.optional(v.pipe(v.boolean(), v.description('every host that is known'))),
  discover: v.optional(
    v.pipe(
      v.boolean(),
      v.description(
        'only hosts whose agents answer through NATS now, which judge facts, classes and last themselves',
      ),
    ),
  ),
  exclude: v.optional(boundedArray(given(65_536, 'leave these out'), 1000)),
  queries: v.optional(boundedArray(given(8192, 'a PuppetDB query'), 20)),
  facts: v.optional(boundedArray(given(1024, 'a condition like os.family=Debian'), 50)),
  classes: v.optional(boundedArray(given(256, 'a Puppet class'), 50)),
  last: v.optional(boundedArray(v.picklist(['failed', 'changed', 'unchanged', 'stale']), 4)),
  olderThan: v.optional(seconds(31_536_000, 'the age from which a run is stale')),
  limit: v.optional(ShareSchema),
  seed: v.optional(given(64, 'makes limit draw the same hosts again')),
  includeMaintenance: v.optional(v.boolean()),
});

export type ChoiceWish = v.InferOutput<typeof ChoiceSchema>;

export const ExplainedSchema = v.object({
  certname: longText,
  isIn: v.boolean(),
  /** What named it; then, if it is out, what left it out. */
  because: v.array(longText),
});

/** A host that could not be judged, and why. */
export const UnansweredSchema = v.object({ certname: longText, error: longText });

/** How agents were asked who is there. */
export const DiscoverySchema = v.object({
  tookMs: count,
  /** Absent if nobody knew whom to expect, or not all of them may be seen. */
  expected: v.optional(v.object({ hosts: count, answered: count })),
  silent: v.array(longText),
  ignored: v.pipe(count, v.description('answers that were forged, repeated or too many')),
});

export const ResolveSchema = v.strictObject({
  choice: ChoiceSchema,
  /** Count the chosen hosts by these facts, and by environment, class and latest report. */
  facets: v.optional(boundedArray(given(256, 'a fact like os.family'), 10)),
});

const FacetSchema = v.object({
  /** The fact, or the kind again. */
  name: longText,
  kind: v.picklist(['fact', 'environment', 'class', 'last']),
  /** The most frequent first. */
  values: v.array(v.object({ value: longText, hosts: count })),
  more: v.pipe(count, v.description('how many values are left out')),
});

export const ResolvedSchema = v.object({
  chosen: v.pipe(count, v.description('how many hosts are in')),
  hosts: v.array(ExplainedSchema),
  maintenance: v.array(longText),
  unanswered: v.array(UnansweredSchema),
  /** Only with `discover`. */
  discovery: v.optional(DiscoverySchema),
  warnings: v.array(longText),
  /** Only if asked for. */
  facets: v.optional(v.array(FacetSchema)),
});
