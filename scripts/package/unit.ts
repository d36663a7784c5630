/** The agent's units in a package: those of packaging/systemd, with the package's own Node and so with fixed flags. */

/** Each starts `kick agent`. */
export const AGENT_UNITS = ['kick-agent.service', 'kick-helper.service', 'kick-listener.service'];

const START = /^# A listener computes little[^\n]*\n(?:#[^\n]*\n)*ExecStart=(?:[^\n]*\\\n)*[^\n]*\n/m;

const ownStart = (
  options: string,
) => `# A listener computes little: without compiled code, with a young generation of 1 MB instead of 16, and without
# garbage collection threads it needs a fifth less memory. Runs inherit none of this.
ExecStart=/usr/lib/kick/node --jitless --max-semi-space-size=1 --optimize-for-size --single-threaded-gc /usr/lib/kick/kick.mjs agent${options}
`;

/** Throws if the unit starts the agent in another way than is replaced here. */
export function packagedUnit(unit: string): string {
  const [start] = START.exec(unit) ?? [];
  const [, options] = /\/usr\/bin\/kick agent([^;']*);;/.exec(start ?? '') ?? [];
  if (start === undefined || options === undefined)
    throw new Error("an agent's unit: its ExecStart is not the one that packages replace");
  return unit.replace(start, ownStart(options));
}
