/** What the parts of a controller share: its folders, its identity, its way to agents. */
import type { ControllerConfig } from '../config/controller-config.ts';
import type { Folders } from '../config/folders.ts';
import type { NatsConfig } from '../config/nats-config.ts';
import type { Identity } from '../pki/identity.ts';
import type { Crowd, Sender } from '../transport/transport.ts';
import type { Clock } from '../util/clock.ts';
import type { JobStore } from './jobs/job-store.ts';

/** Makes connections; which transport they use is the face's choice. */
export type OpenSender = (options: {
  identity: Identity;
  /** The brokers of controller.yaml. */
  nats?: NatsConfig | undefined;
  /** Milliseconds; defaults to the transport's own limit. */
  connectTimeoutMs?: number | undefined;
}) => Promise<Sender>;

/** Opens the way to all agents at the brokers. */
export type OpenCrowd = (options: {
  identity: Identity;
  nats: NatsConfig;
}) => Promise<{ crowd: Crowd; close(): void }>;

export interface Site {
  folders: Folders;
  /** The variable PATH, to find puppet in. */
  path: string;
  /** kick's version. */
  version: string;
  clock: Clock;
  config(): Promise<ControllerConfig>;
  /** Who we are. Throws `KickError` if it cannot be loaded. */
  identity(): Promise<Identity>;
  /** Called before the state is touched, but for what is Puppet's. */
  enterState(): Promise<void>;
  store(): Promise<JobStore>;
  openSender: OpenSender;
  /** Absent: nobody can be discovered. */
  openCrowd?: OpenCrowd | undefined;
}

/** As whom hosts are asked, and the way to them: a request is believed only over a connection with its signer's certificate. */
export interface Caller {
  readonly identity: Identity;
  readonly sender: Sender;
}

type CallerSite = Pick<Site, 'identity' | 'openSender' | 'config'>;

/**
 * Gives the work what returns the caller of now: our certificate may be renewed while a job lasts. Streams that are open stay
 * with the certificate that they began with.
 */
export async function withCaller<T>(
  { identity, openSender, config }: CallerSite,
  connectTimeoutMs: number | undefined,
  work: (caller: () => Promise<Caller>) => Promise<T>,
): Promise<T> {
  const { nats } = await config();
  const senders: Sender[] = [];
  const open = async (own: Identity): Promise<Caller> => {
    const sender = await openSender({ identity: own, nats, connectTimeoutMs });
    senders.push(sender);
    return { identity: own, sender };
  };
  let latest = await identity();
  let current = await open(latest);
  let changing = Promise.resolve();
  const follow = async () => {
    const own = await identity();
    if (own === latest) return;
    latest = own;
    current = await open(own);
  };
  try {
    return await work(async () => {
      // One at a time, and what cannot be used leaves the one that can.
      changing = changing.then(follow).catch(() => {});
      await changing;
      return current;
    });
  } finally {
    for (const sender of senders) sender.close();
  }
}

/** Opens a sender for as long as the work lasts. */
export async function withSender<T>(
  { identity, openSender, config }: CallerSite,
  connectTimeoutMs: number | undefined,
  work: (sender: Sender) => Promise<T>,
): Promise<T> {
  const sender = await openSender({
    identity: await identity(),
    nats: (await config()).nats,
    connectTimeoutMs,
  });
  try {
    return await work(sender);
  } finally {
    sender.close();
  }
}
