/**
 * The versions of Node that kick is tested on, each as npm's package of its binary. They are fetched once and kept outside the
 * checkout: $XDG_CACHE_HOME/kick, else ~/.cache/kick.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The newest of each line, oldest first: version, and npm's integrity of the package per processor. */
const PACKAGES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '20.20.2': {
    x64: 'sha512-PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==',
    arm64: 'sha512-LCXJnNTFiyGuYBw2gZSI5OBFMbkjAPt8sqD/NKrWoE2QmDgSubTqFng6GaNJ9EJ8HpxBMGcWWpbbcs4Vo+CnGg==',
  },
  '22.23.3': {
    x64: 'sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==',
    arm64: 'sha512-l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==',
  },
  '24.21.0': {
    x64: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
    arm64: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
  '26.10.0': {
    x64: 'sha512-OmAztarr1gK4PD+sNyoku4N5Q40d8eqMuLjNa/zRvxF33aCsVKVIQLs4V5HYPWSWWlMiTdkmbZE/6Phigma0hw==',
    arm64: 'sha512-idArV/cmqW9M9ODyGlbOIiyxFourDh1mJB0SdKCdMbSZjjef9CLEN3o1/eE4yf+B0+5BD+F74MpTTHiB3XXTBQ==',
  },
};

export const NODES: readonly string[] = Object.keys(PACKAGES);
export const OLDEST_NODE = NODES[0] ?? '';
export const NEWEST_NODE = NODES.at(-1) ?? '';

/** The one in our own packages: the current line with long-term support. */
export const PACKAGED_NODE = NODES.find((version) => version.startsWith('24.')) ?? '';

const run = promisify(execFile);

/**
 * Returns the folder with the `node` of this version, for PATH, and its LICENSE. Throws if it is not available: no network,
 * another processor.
 */
export async function nodeFolder(version: string, arch: string = process.arch): Promise<string> {
  const integrity = PACKAGES[version]?.[arch];
  if (process.platform !== 'linux' || integrity === undefined) {
    throw new Error(`there is no Node ${version} for ${process.platform} on ${arch}`);
  }
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'kick');
  const folder = join(cache, `node-${version}-linux-${arch}`);
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const making = await mkdtemp(join(cache, '.making-'));
  try {
    await unpack(`node-linux-${arch}@${version}`, { integrity, into: making });
    await rename(making, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error; // somebody else was faster
    });
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return folder;
}

async function unpack(name: string, { integrity, into }: { integrity: string; into: string }): Promise<void> {
  const archive = join(into, await fetchPackage(name, into));
  const found = `sha512-${createHash('sha512')
    .update(await readFile(archive))
    .digest('base64')}`;
  if (found !== integrity) throw new Error(`${name}: its integrity is ${found}, not ${integrity}`);
  await run('tar', [
    '-xzf',
    archive,
    '-C',
    into,
    '--strip-components=1',
    'package/bin/node',
    'package/LICENSE',
  ]);
  await rename(join(into, 'bin', 'node'), join(into, 'node'));
  await rmdir(join(into, 'bin'));
  await rm(archive);
}

/** Returns the name of the archive in `into`. */
async function fetchPackage(name: string, into: string): Promise<string> {
  try {
    // Not in the checkout, whose npm settings would apply.
    const words = ['pack', name, '--silent', '--prefer-offline', '--pack-destination', into];
    const { stdout } = await run('npm', words, { cwd: into });
    return stdout.trim();
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    const why = stderr.trim().split('\n')[0] || 'npm does not say why';
    throw new Error(
      `fetch ${name} from npm's registry: ${why} (try: npm view ${name}; once fetched, it is kept in ~/.cache/kick)`,
      { cause: error },
    );
  }
}
