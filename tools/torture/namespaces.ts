/** Mounts, addresses and processes of our own, so that nothing of the machine is touched and nothing is left. */
import { spawnSync } from 'node:child_process';

const FOLDER = 'KICK_TORTURE_FOLDER';

/** In memory, and gone with the namespace: libfaketime leaves a file here for each process that was killed. */
const MEMORY = '/dev/shm';

/** The folder in which everything lies, if we are inside. */
export const folderInside = () => process.env[FOLDER];

/** Why this machine cannot have them; undefined if it can. */
export function whyNot(): string | undefined {
  const { status } = spawnSync('unshare', ['--mount', '--net', '--pid', '--fork', 'true']);
  if (status !== 0)
    return 'unshare --mount --net --pid must work: be root, outside of a container that forbids it';
  return spawnSync('ip', ['-V']).status === 0 ? undefined : 'ip is not installed (apt-get install iproute2)';
}

/**
 * Runs this program again in namespaces; returns its exit code. sh collects what orphans leave, as init does; the rule for
 * local addresses comes after ours, by which they can be cut off.
 */
export function runInside(words: readonly string[]): number {
  const folder = `${MEMORY}/kick-torture`;
  const script = [
    `mount -t tmpfs -o mode=0755 tmpfs ${MEMORY}`,
    `mkdir ${folder}`,
    'ip link set lo up',
    'ip rule add pref 100 lookup local',
    'ip rule del pref 0',
    '"$@" & wait $!',
  ].join('; ');
  const flags = [
    '--mount',
    '--propagation',
    'private',
    '--net',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
  ];
  const { status } = spawnSync('unshare', [...flags, 'bash', '-c', script, 'bash', ...words], {
    stdio: 'inherit',
    env: { ...process.env, [FOLDER]: folder },
  });
  return status ?? 1;
}
