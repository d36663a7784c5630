/** The Node of the packages: the one that nodes.ts pins, without its debugging symbols. */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { isInstalled } from '../../tools/installed.ts';
import { nodeFolder, PACKAGED_NODE } from '../nodes.ts';

/** Debian's names of the processors, with Node's and the prefix of GNU's tools for them. */
const ARCHITECTURES = {
  amd64: { node: 'x64', gnu: 'x86_64-linux-gnu' },
  arm64: { node: 'arm64', gnu: 'aarch64-linux-gnu' },
} as const;

export type Architecture = keyof typeof ARCHITECTURES;

export const ARCHITECTURE_NAMES = Object.keys(ARCHITECTURES) as Architecture[];

/** Throws if there are no packages for it. */
export function architectureFrom(name: string): Architecture {
  const found = ARCHITECTURE_NAMES.find((one) => one === name);
  if (found !== undefined) return found;
  throw new Error(`there is no package for "${name}": only for ${ARCHITECTURE_NAMES.join(' and ')}`);
}

/** The architecture of this machine. */
export function ownArchitecture(): Architecture {
  const found = ARCHITECTURE_NAMES.find((name) => ARCHITECTURES[name].node === process.arch);
  return found ?? architectureFrom(process.arch);
}

/** Throws if it cannot be fetched, or if nothing here can strip this machine's own programs. */
export async function writeNode(file: string, architecture: Architecture): Promise<void> {
  const strip = stripFor(architecture);
  copyFileSync(join(await nodeFolder(PACKAGED_NODE, ARCHITECTURES[architecture].node), 'node'), file);
  chmodSync(file, 0o755);
  if (strip === undefined) {
    console.error(
      `package: Node for ${architecture} keeps its symbols (20 MB): nothing here can strip it (binutils-aarch64-linux-gnu or llvm)`,
    );
  } else execFileSync(strip, [file]);
}

/** The file with Node's licence and those of all its parts. */
export async function nodeLicence(architecture: Architecture): Promise<string> {
  return join(await nodeFolder(PACKAGED_NODE, ARCHITECTURES[architecture].node), 'LICENSE');
}

function stripFor(architecture: Architecture): string | undefined {
  const isOwn = architecture === ownArchitecture();
  const candidates = [`${ARCHITECTURES[architecture].gnu}-strip`, ...(isOwn ? ['strip'] : []), 'llvm-strip'];
  const found = candidates.find(isInstalled);
  if (found === undefined && isOwn) throw new Error('there is no strip: apt-get install binutils');
  return found;
}
