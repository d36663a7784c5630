/** So many in one turn of the event loop; whoever comes beyond that goes on in the next. First come, first served. */
export function createTurns(perTurn: number): () => Promise<void> {
  const queue: (() => void)[] = [];
  let used = 0;

  function next(): void {
    used = Math.min(perTurn, queue.length);
    for (const goOn of queue.splice(0, used)) goOn();
    if (used > 0) setImmediate(next);
  }

  return () => {
    if (used >= perTurn) return new Promise((resolve) => queue.push(resolve));
    if (used === 0) setImmediate(next);
    used += 1;
    return Promise.resolve();
  };
}
