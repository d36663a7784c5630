/** How requests reach an agent: by its own port and brokers, or from a listener in front of it (DESIGN 14). */
import type { IdentityPaths, Trust } from '../../pki/identity.ts';
import type { LocalListener } from '../../transport/transport.ts';
import type { Main } from './open-main.ts';

export interface Entrance<T extends Trust = Trust> {
  /** Reads what it needs of the host's identity. */
  load(paths: IdentityPaths, options: { now: number }): Promise<T>;
  /** Begins to take requests. Throws `KickError` `config`. */
  open(main: Main, identity: T): Promise<OpenEntrance<T>>;
}

export interface OpenEntrance<T extends Trust> {
  readonly listener: LocalListener;
  /** Where it listens, for the log. */
  readonly where: object;
  /** After how many milliseconds in which nothing needs it the agent may end; undefined: never. */
  readonly idleMs: number | undefined;
  /** Whether it has work of its own, beside what the agent has. */
  isBusy(): boolean;
  setIdentity(identity: T): void;
  /** Closes what is open beside the listener. */
  close(): Promise<void>;
}
