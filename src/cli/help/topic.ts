/** What `kick help TOPIC` explains, as data: for the terminal and for the man pages. */

export type Block =
  /** A paragraph. */
  | string
  /** Terms, each with what it means. */
  | { terms: readonly (readonly [term: string, means: string])[] }
  /** Command lines, each with what it is for. */
  | { examples: readonly (readonly [command: string, what: string])[] };

export interface Topic {
  /** What is typed: `kick help rollout`. */
  name: string;
  title: string;
  blocks: readonly Block[];
}
