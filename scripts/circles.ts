/** Circles in a graph of imports. */

export type Graph = ReadonlyMap<string, readonly { target: string; line: number }[]>;

export interface Circle {
  /** Where the import stands that closes it. */
  file: string;
  line: number;
  /** The files, the first one again at the end. */
  way: string[];
}

/** One circle for each import that leads back to a file on the way to it. */
export function circlesIn(graph: Graph): Circle[] {
  const found: Circle[] = [];
  const finished = new Set<string>();
  const visit = (file: string, way: readonly string[]) => {
    if (finished.has(file)) return;
    const here = [...way, file];
    for (const { target, line } of graph.get(file) ?? []) {
      const start = here.indexOf(target);
      if (start < 0) visit(target, here);
      else found.push({ file, line, way: [...here.slice(start), target] });
    }
    finished.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}
