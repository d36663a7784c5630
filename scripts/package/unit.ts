/** The agent's unit in a package: the one of packaging/systemd, with the package's own Node and so with fixed flags. */

const START = /^# A listener computes little[^\n]*\n(?:#[^\n]*\n)*ExecStart=(?:[^\n]*\\\n)*[^\n]*\n/m;

const OWN_START = `# A listener computes little: without compiled code, with a young generation of 1 MB instead of 16, and without
# garbage collection threads it needs a fifth less memory. Runs inherit none of this.
ExecStart=/usr/lib/kick/node --jitless --max-semi-space-size=1 --optimize-for-size --single-threaded-gc /usr/lib/kick/kick.mjs agent
`;

/** Throws if the unit starts the agent in another way than is replaced here. */
export function packagedUnit(unit: string): string {
  if (!START.test(unit))
    throw new Error('kick-agent.service: its ExecStart is not the one that packages replace');
  return unit.replace(START, OWN_START);
}
