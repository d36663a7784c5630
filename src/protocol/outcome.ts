/**
 * DESIGN 3: the one table of outcomes. Exit codes, summaries, the choice of hosts for a rerun and the
 * documentation are derived from it.
 */

export type ExitClass = 0 | 1 | 3 | 4;

interface OutcomeRow {
  readonly means: string;
  readonly exit: ExitClass;
  /** Who decides it: the agent about a run, or the controller about a host. */
  readonly from: 'agent' | 'controller';
}

export const OUTCOMES = {
  unchanged: {
    means: 'a run that began after the request completed; nothing to do',
    exit: 0,
    from: 'agent',
  },
  changed: {
    means: 'it completed and changed something, nothing failed',
    exit: 0,
    from: 'agent',
  },
  'would-change': {
    means: 'nothing was applied and changes are pending: a noop run, or a host whose puppet.conf says noop',
    exit: 0,
    from: 'agent',
  },
  failed: {
    means:
      'resources failed; the catalog could not be fetched, compiled or applied; the cached one was asked for and could not be used; a prerun or postrun command failed; Puppet could not be started; the record of the request is damaged',
    exit: 1,
    from: 'agent',
  },
  stale: {
    means: 'Puppet applied a cached catalog, though the request did not ask for one',
    exit: 1,
    from: 'agent',
  },
  interrupted: {
    means: 'Puppet was ended before it was done: a signal, a reboot',
    exit: 1,
    from: 'agent',
  },
  'timed-out': {
    means: 'it ran past --run-timeout and the agent ended it',
    exit: 1,
    from: 'agent',
  },
  unreachable: {
    means: "no such name; connection refused; no answer; the certificate is another's: each in its own words",
    exit: 3,
    from: 'controller',
  },
  refused: {
    means: 'the agent refused, with a stable code',
    exit: 3,
    from: 'controller',
  },
  lost: {
    means:
      'accepted, then no contact for --lost-after, or an agent that no longer knows how it ended, or says so in a word of a newer version',
    exit: 3,
    from: 'controller',
  },
  disabled: {
    means: 'Puppet is administratively disabled there; the reason is shown',
    exit: 4,
    from: 'agent',
  },
  busy: {
    means: 'a run was in progress and the request would not (skip) or could no longer (--wait) wait',
    exit: 4,
    from: 'agent',
  },
  unfinished: {
    means: 'accepted; still waiting or running when the controller stopped looking (with --detach: exit 0)',
    exit: 4,
    from: 'controller',
  },
  'not-started': {
    means: "the job stopped before this host's turn",
    exit: 4,
    from: 'controller',
  },
  cancelled: {
    means: 'an operator cancelled it',
    exit: 4,
    from: 'agent',
  },
} as const satisfies Record<string, OutcomeRow>;

export type Outcome = keyof typeof OUTCOMES;

/** The outcomes that an agent may report in `finished`; the others are the controller's. */
export type AgentOutcome = {
  [K in Outcome]: (typeof OUTCOMES)[K]['from'] extends 'agent' ? K : never;
}[Outcome];

/** All outcomes, in the order in which they are shown. */
export const OUTCOME_NAMES = Object.keys(OUTCOMES) as Outcome[];

export const AGENT_OUTCOMES = OUTCOME_NAMES.filter(
  (name): name is AgentOutcome => OUTCOMES[name].from === 'agent',
);

/** Whether the host did as asked. */
export function isSuccess(outcome: Outcome): boolean {
  return OUTCOMES[outcome].exit === 0;
}

/** DESIGN 3: exit with 1 if any host has 1, else 3, else 4, else 0. */
export function exitCodeOf(outcomes: Iterable<Outcome>): ExitClass {
  const classes = new Set<ExitClass>();
  for (const outcome of outcomes) classes.add(OUTCOMES[outcome].exit);
  return ([1, 3, 4] as const).find((exit) => classes.has(exit)) ?? 0;
}

/** Exit codes that do not follow from a host's outcome. */
export const EXIT = {
  /** Usage or configuration: nothing was sent. */
  usage: 2,
  /** Some hosts could not be asked: the class of `unreachable`. */
  incomplete: 3,
  /** A host did not do as asked: the class of `disabled`. */
  notDone: 4,
  /** An error of kick itself (EX_SOFTWARE of sysexits.h). */
  internal: 70,
  /** All went well, but what was printed could not be written (EX_IOERR of sysexits.h). */
  output: 74,
  /** Another kick holds the lock, or another agent the state directory (EX_TEMPFAIL of sysexits.h). */
  locked: 75,
  /** An agent that nothing needs: systemd does not start it again, but for a connection (kick-agent.service). */
  idle: 100,
  /** Ctrl-C: 128 plus the number of SIGINT. */
  interrupted: 130,
} as const;

/** What every exit code of the command line means, for people. */
export const EXIT_CODES: readonly (readonly [codes: string, means: string])[] = [
  ['0', 'every host did what was asked'],
  ['1, 3, 4', 'the first of these that any host has; see the outcomes'],
  [String(EXIT.usage), 'usage or configuration: nothing was sent'],
  [String(EXIT.internal), 'an error of kick itself'],
  [String(EXIT.output), 'it would be 0, but the output could not be written: a full disk'],
  [String(EXIT.locked), 'another kick holds the lock (--lock), or another kick agent the state directory'],
  [String(EXIT.idle), 'a kick agent behind kick-agent.socket that nothing needs any more'],
  [String(EXIT.interrupted), 'Ctrl-C; Puppet goes on where it is running'],
];
