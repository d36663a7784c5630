/** What a decoder made, whatever it is. */

/** Bytes of an object, a list or an entry of one, about. */
const EACH = 16;

/** Objects of classes of ours, Node's and the language's hold what they like. */
const isPlain = (prototype: object) => prototype === Object.prototype || prototype === Array.prototype;

/** Why it is none that may be handed on, if so: too large, or with a prototype that came with the input. */
export function oddityIn(value: unknown, maxBytes: number): string | undefined {
  const seen = new Set<object>();
  const open: unknown[] = [value];
  let bytes = 0;
  while (open.length > 0) {
    const one = open.pop();
    bytes += EACH;
    if (typeof one === 'string') bytes += one.length;
    if (bytes > maxBytes) return 'makes far more of it than it is';
    if (typeof one !== 'object' || one === null || seen.has(one)) continue;
    seen.add(one);
    const prototype = Object.getPrototypeOf(one) as object | null;
    if (prototype !== null && !isPlain(prototype) && !isClass(prototype))
      return 'makes a value whose prototype came with the input';
    if (ArrayBuffer.isView(one)) bytes += one.byteLength;
    else if (one instanceof Map) for (const [key, inner] of one) open.push(key, inner);
    else if (one instanceof Set || Array.isArray(one)) for (const inner of one) open.push(inner);
    else
      for (const key of Object.keys(one)) {
        bytes += key.length;
        open.push((one as Record<string, unknown>)[key]);
      }
  }
  return undefined;
}

function isClass(prototype: object): boolean {
  return Object.hasOwn(prototype, 'constructor') && typeof prototype.constructor === 'function';
}
