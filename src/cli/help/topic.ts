/** What `kick help TOPIC` explains, as data: for the terminal and for the man pages. */

export type Block =
  /** A paragraph. */
  | string
  /** Terms and what they mean. */
  | { terms: readonly (readonly [term: string, means: string])[] }
  /** Command lines and what they are for. */
  | { examples: readonly (readonly [command: string, what: string])[] };

export interface Topic {
  /** As in `kick help rollout`. */
  name: string;
  title: string;
  blocks: readonly Block[];
}
