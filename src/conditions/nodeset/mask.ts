/** Masks: `*` means any text, `?` one character. Linear in the name, whatever the mask: `*a*a*a*b` is no pattern to try in all ways. */

/** Returns a test of whole names. */
export function globTest(mask: string): (name: string) => boolean {
  const [first = '', ...rest] = mask.split('*');
  const last = rest.pop();
  if (last === undefined) return (name) => name.length === first.length && fitsAt(name, first, 0);
  // A row of stars means the same as one.
  const middle = rest.filter((part) => part !== '');
  const least = [first, last, ...middle].reduce((sum, part) => sum + part.length, 0);
  return (name) => {
    const end = name.length - last.length;
    if (name.length < least || !fitsAt(name, first, 0) || !fitsAt(name, last, end)) return false;
    let at = first.length;
    // Each part where it first fits: nothing is gained by leaving the parts behind it less room.
    for (const part of middle) {
      const found = findFrom(name, part, { from: at, to: end });
      if (found < 0) return false;
      at = found + part.length;
    }
    return at <= end;
  };
}

/** Where a part first fits within a stretch of a name; -1 if nowhere. */
function findFrom(name: string, part: string, { from, to }: { from: number; to: number }): number {
  if (!part.includes('?')) {
    const found = name.indexOf(part, from);
    return found + part.length > to ? -1 : found;
  }
  for (let at = from; at + part.length <= to; at++) if (fitsAt(name, part, at)) return at;
  return -1;
}

function fitsAt(name: string, part: string, at: number): boolean {
  if (!part.includes('?')) return name.startsWith(part, at);
  for (let index = 0; index < part.length; index++) {
    const char = part.charCodeAt(index);
    if (char !== QUESTION && char !== name.charCodeAt(at + index)) return false;
  }
  return true;
}

const QUESTION = 0x3f;
