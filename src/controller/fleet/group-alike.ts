/** Hosts of which the same is to be said, together. */
import { inGeneral, sharesInWords } from './in-general.ts';

/** One thing that is said of one host. */
export interface Said {
  /** What is never mixed: an outcome, a level. */
  kind: string;
  text: string;
  /** What the host is called in it: its certname, and where it is reached. */
  names: readonly string[];
}

export interface Alike<Item> {
  /** Never empty; in their order. */
  items: readonly [Item, ...Item[]];
  /** What is said of all of them, or of the first. */
  text: string;
  /** The others have other addresses, times, …: show it as an example. */
  isExample: boolean;
}

interface Group<Item> {
  items: [Item, ...Item[]];
  texts: Set<string>;
}

/** In the order in which each is first said. */
export function groupAlike<Item>(
  items: Iterable<Item>,
  saidOf: (item: Item) => Said,
): (Alike<Item> & Pick<Said, 'kind'>)[] {
  const groups = new Map<string, Group<Item> & Pick<Said, 'kind'>>();
  // The same words mean the same, whatever the two hosts are called; they are also read only once.
  const keys = new Map<string, string>();
  for (const item of items) {
    const { kind, text, names } = saidOf(item);
    const said = `${kind}\0${text}`;
    const key = keys.get(said) ?? `${kind}\0${inGeneral(text, names)}`;
    keys.set(said, key);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { kind, items: [item], texts: new Set([text]) });
    else {
      group.items.push(item);
      group.texts.add(text);
    }
  }
  return [...groups.values()].map(({ kind, items: alike, texts }) => ({
    kind,
    items: alike,
    ...textOf(texts),
  }));
}

function textOf(texts: ReadonlySet<string>): Pick<Alike<unknown>, 'text' | 'isExample'> {
  const [first = ''] = texts;
  if (texts.size === 1) return { text: first, isExample: false };
  const inWords = new Set([...texts].map(sharesInWords));
  return inWords.size === 1
    ? { text: sharesInWords(first), isExample: false }
    : { text: first, isExample: true };
}
