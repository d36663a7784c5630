/** How deep a parsed YAML document is: with aliases it may be far deeper than its text. */

interface Open {
  node: object;
  inner: readonly unknown[];
  /** Which of them is next. */
  at: number;
  /** Of what is inside it, as far as that is known. */
  height: number;
}

/**
 * Whether lists and mappings are inside each other more than `most` times. What is inside itself counts once. Without
 * recursion: the answer decides whether others may recur.
 */
export function isDeeperThan(value: unknown, most: number): boolean {
  const heights = new Map<object, number>();
  const path: Open[] = [];
  const enter = (node: unknown) => {
    if (typeof node !== 'object' || node === null) return;
    const known = heights.get(node);
    if (known !== undefined) {
      raise(path.at(-1), known);
      return;
    }
    // Until it is known; an alias of what is open comes back to here.
    heights.set(node, 0);
    path.push({ node, inner: Array.isArray(node) ? node : Object.values(node), at: 0, height: 0 });
  };
  enter(value);
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    if (path.length + top.height > most) return true;
    if (top.at < top.inner.length) {
      enter(top.inner[top.at++]);
      continue;
    }
    path.pop();
    heights.set(top.node, top.height + 1);
    raise(path.at(-1), top.height + 1);
  }
  return false;
}

function raise(above: Open | undefined, height: number): void {
  if (above !== undefined) above.height = Math.max(above.height, height);
}
