/** Makes what we send fit what the other side accepts: one field that is too long must not cost the rest. */
import * as v from 'valibot';

/** Maximum number of rounds, each of which fixes everything that the schema objects to. */
const MAX_ROUNDS = 8;

/**
 * Returns the value as the schema accepts it. Text and lists that are too long are cut, numbers out of range are moved to
 * its end, and anything else that does not fit is left out; undefined if that is not enough. `maxBytes`: of its JSON; the
 * longest text or list is cut until that fits.
 */
export function fitTo<S extends v.GenericSchema>(
  schema: S,
  value: unknown,
  { maxBytes = Number.POSITIVE_INFINITY }: { maxBytes?: number } = {},
): v.InferOutput<S> | undefined {
  const fitted = fitParts(schema, value);
  if (fitted === undefined || maxBytes === Number.POSITIVE_INFINITY || bytesOf(fitted) <= maxBytes) {
    return fitted;
  }
  const shorter: unknown = structuredClone(fitted);
  while (bytesOf(shorter) > maxBytes) if (!halveLargest(shorter)) return undefined;
  return fitParts(schema, shorter);
}

function fitParts<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> | undefined {
  let parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  const mended: unknown = structuredClone(value);
  for (let round = 0; round < MAX_ROUNDS && !parsed.success; round++) {
    // From the end, so that the indices of list items stay valid.
    const tried = [...parsed.issues].reverse().map((issue) => mend(mended, issue));
    if (!tried.includes(true)) return undefined;
    parsed = v.safeParse(schema, mended);
  }
  return parsed.success ? parsed.output : undefined;
}

type Container = Record<string | number, unknown>;

/** Whether anything could be changed: what is missing cannot be. */
function mend(root: unknown, { path, type, requirement, input }: v.BaseIssue<unknown>): boolean {
  const keys = path?.map(({ key }) => key as string | number) ?? [];
  const [last, parent] = placeOf(keys, root);
  if (last === undefined || parent === undefined) return false;
  // It was moved into its range, whose ends are whole numbers.
  if (type === 'integer' && Number.isInteger(parent[last])) return true;
  const better = nearest(type, { requirement, input });
  if (better !== undefined) parent[last] = better;
  else if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete parent[last];
  return true;
}

/** A value's key and its container; for a missing value, those of the nearest existing parent. */
function placeOf(
  keys: readonly (string | number)[],
  root: unknown,
): [string | number | undefined, Container | undefined] {
  let parent: unknown = root;
  let place: [string | number | undefined, Container | undefined] = [undefined, undefined];
  for (const key of keys) {
    if (!isContainer(parent) || !Object.hasOwn(parent, key)) break;
    place = [key, parent];
    parent = parent[key];
  }
  return place;
}

/** The nearest value that meets a requirement; undefined if there is none. */
function nearest(type: string, { requirement, input }: { requirement: unknown; input: unknown }): unknown {
  if (type === 'integer' && typeof input === 'number' && Number.isFinite(input)) return Math.round(input);
  if (typeof requirement !== 'number') return undefined;
  if (type === 'max_length' && typeof input === 'string') return cut(input, requirement);
  if (type === 'max_length' && Array.isArray(input)) return input.slice(0, requirement);
  if ((type === 'max_value' || type === 'min_value') && typeof input === 'number') return requirement;
  return undefined;
}

/** Never cuts between a pair of surrogates. */
function cut(text: string, max: number): string {
  const short = text.slice(0, max);
  return /[\ud800-\udbff]$/.test(short) ? short.slice(0, -1) : short;
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}

// ---------------------------------------------------------------- bytes

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value) ?? '');

/** Text of fewer characters (a name, an id) is not cut, nor is an object with fewer keys. */
const LEAST_CUT = 128;
const MANY_KEYS = 32;

interface Part {
  key: string;
  part: unknown;
  bytes: number;
}

/** Follows the largest part of each part down to a text, or to many parts none of which is large, and halves that. */
function halveLargest(root: unknown): boolean {
  let at = root;
  while (isContainer(at)) {
    const parts: Part[] = Object.entries(at).map(([key, part]) => ({ key, part, bytes: bytesOf(part) }));
    const [largest] = [...parts].sort((a, b) => b.bytes - a.bytes);
    if (largest === undefined) return false;
    if (areMany(at, parts, largest)) {
      halve(at, parts);
      return true;
    }
    const { key, part } = largest;
    if (typeof part === 'string' && part.length > LEAST_CUT) {
      at[key] = cut(part, part.length >> 1);
      return true;
    }
    at = part;
  }
  return false;
}

function areMany(container: Container, parts: readonly Part[], largest: Part): boolean {
  const sum = parts.reduce((bytes, part) => bytes + part.bytes, 0);
  return parts.length > (Array.isArray(container) ? 1 : MANY_KEYS) && largest.bytes * 2 < sum;
}

function halve(container: Container, parts: readonly Part[]): void {
  const half = parts.length >> 1;
  if (Array.isArray(container)) container.length = half;
  else for (const { key } of parts.slice(half)) delete container[key];
}
