/** The socket that systemd holds for the agent (systemd.socket(5)), as sd_listen_fds(3) takes it. */
import type { AgentConfig } from '../../config/agent-config.ts';
import { KickError } from '../../errors.ts';

/** The first descriptor that is handed over. */
const FIRST = 3;

const VARIABLES = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID'];

/**
 * The descriptor that listens already; undefined if none was meant for this process. Removes the variables from `env`, so
 * that nothing that is started from here takes it for its own. Throws `KickError` `config` for any number but one.
 */
export function takeSocket(
  env: Record<string, string | undefined>,
  pid: number = process.pid,
): number | undefined {
  const { LISTEN_PID: meantFor, LISTEN_FDS: count } = env;
  for (const name of VARIABLES) delete env[name];
  // What is left of another process is not an error: a shell in between, or a manager that was started by one.
  if (meantFor !== String(pid) || count === undefined) return undefined;
  if (count === '1') return FIRST;
  throw new KickError(
    'config',
    `take the socket of systemd: it hands over ${JSON.stringify(count)}, not one`,
    {
      hint: 'kick-agent.socket must have one ListenStream=, and be the only socket unit of the service',
    },
  );
}

/** After how many milliseconds an agent may end by itself; undefined: never, since no connection would start it again. */
export function idleMsOf(socket: number | undefined, config: AgentConfig): number | undefined {
  const isHeld = socket !== undefined && config.listen;
  return isHeld && config.nats === undefined && config.idle_exit !== false ? config.idle_exit : undefined;
}

/** What agent.yaml says against the socket unit; undefined: nothing. */
export function socketProblem(
  socket: number | undefined,
  { config, port }: { config: AgentConfig; port: number },
): string | undefined {
  if (socket === undefined) return undefined;
  if (!config.listen)
    return 'agent.yaml says "listen: false": nobody answers on the port that kick-agent.socket holds';
  if (config.port === 0 || config.port === port) return undefined;
  return `systemd holds port ${port}, which counts, and not port ${config.port}`;
}
