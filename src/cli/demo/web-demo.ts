/** `kick demo --web`: the page with thirty simulated hosts to try it on, until Ctrl-C. Nothing on the host is touched. */
import type { Terminal } from '../terminal.ts';
import { DEMO_HOSTS, REFUSING, SLOW } from './demo-hosts.ts';
import { type DemoSite, startDemoSite } from './demo-site.ts';

export interface WebDemoOptions {
  terminal: Terminal;
  /** 0: any that is free. */
  port: number;
  /** The variable PATH. */
  path: string;
}

/** SIGHUP: its terminal was closed. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Resolves when a signal has ended it, and nothing of it is left. Throws `KickError` if the server cannot listen. */
export async function webDemoMain({ terminal, port, path }: WebDemoOptions): Promise<void> {
  process.umask(0o077); // what others could write would be refused
  let end = () => {};
  const over = new Promise<'over'>((resolve) => {
    end = () => resolve('over');
  });
  // Not once: a terminal that is closed says so more than once.
  for (const signal of SIGNALS) process.on(signal, end);
  terminal.err(`starting ${DEMO_HOSTS.length} simulated hosts and the server\n`);
  try {
    const site = await startDemoSite({ port, path });
    try {
      const begun = await Promise.race([over, begin(site)]);
      if (begun !== 'over') terminal.out(introduction(site));
      await over;
    } finally {
      await site.stop();
    }
  } finally {
    for (const signal of SIGNALS) process.off(signal, end);
  }
}

/** Something to look at: a schedule, and a job that has begun. */
async function begin({ signIn }: DemoSite): Promise<void> {
  const alice = await signIn('alice');
  await alice.ask('schedules', {
    ...{ name: 'nightly-drift', cron: '0 3 * * *', zone: 'Europe/Berlin', choice: { all: true } },
    ...{ action: { noop: true }, reason: 'What would change by itself?' },
  });
  await alice.ask('jobs', { choice: { all: true }, action: { noop: true }, reason: 'A first look' });
}

const introduction = ({
  url,
  password,
  ca,
  kickArgs,
}: DemoSite) => `${DEMO_HOSTS.length} simulated hosts, and the page:

  ${url}

  alice   may everything
  bob     may run on @web
  carol   may look
  The password of all three: ${password}

${SLOW} is slow, ${REFUSING} refuses, and some runs fail.
The certificate is from a CA of the demo's own (${ca}), so a browser warns of it.
The command line sees the same jobs:

  kick jobs ${kickArgs.join(' ')}

Ctrl-C ends everything and removes it.
`;
