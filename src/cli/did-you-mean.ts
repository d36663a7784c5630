/** Words that are likely meant as a command. */

const COMMANDS = [
  ...['run', 'rerun', 'nodes', 'jobs', 'ping', 'agent', 'pki', 'demo', 'help'],
  ...['status', 'count', 'summary', 'disable', 'enable', 'cancel', 'doctor', 'completion'],
];

/** What peers call theirs, never a host by accident; and what does the same here. */
const PEERS: Readonly<Record<string, string>> = {
  ...{ runonce: 'run', runall: 'run', find: 'nodes', facts: 'nodes --fact', version: '--version' },
};

/** Edits that a word may be away from a command. */
const MAX_EDITS = 2;

/** The command that a word is within two edits of; undefined when it is none. Commands are letters: `agent1` is a host. */
export function likelyCommand(word: string): string | undefined {
  if (!/^[A-Za-z]+$/.test(word)) return undefined;
  const near = [...COMMANDS, ...Object.keys(PEERS)]
    .map((command) => ({ command, edits: editsBetween(word.toLowerCase(), command) }))
    .filter(({ edits }) => edits <= MAX_EDITS)
    .sort((a, b) => a.edits - b.edits);
  const [{ command } = { command: undefined }] = near;
  return command === undefined ? undefined : (PEERS[command] ?? command);
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
export function editsBetween(a: string, b: string): number {
  const rows: number[][] = Array.from({ length: a.length + 1 }, (_, i) => [i]);
  const at = (i: number, j: number) => rows[i]?.[j] ?? j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + same);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) best = Math.min(best, at(i - 2, j - 2) + 1);
      (rows[i] ?? [])[j] = best;
    }
  }
  return at(a.length, b.length);
}
