/** A choice while it is made: who was named and by what, and who was left out and why. */
import type { Members } from './nodeset/evaluate.ts';

/** Why a host is in or out. */
export interface Explained {
  certname: string;
  isIn: boolean;
  /** By what it was named; then, if it is out, what left it out. */
  because: readonly string[];
}

export interface Choice {
  /** All who were named, in the order in which they first were. */
  hosts(): Members;
  add(hosts: Members, reason: string): void;
  /** The first reason is kept; nothing where the host was not named. */
  leaveOut(certname: string, why: string): void;
  /** Another reason in place of the first. */
  leaveOutAnyhow(certname: string, why: string): void;
  staying(): string[];
  /** Why hosts are out. */
  out: ReadonlyMap<string, string>;
  /** Everybody who was named, those who are in first. */
  explained(): Explained[];
}

export function createChoice(): Choice {
  const named = createNamed();
  const out = new Map<string, string>();
  return {
    ...{ out, hosts: named.hosts, add: named.add },
    leaveOut(certname, why) {
      if (named.hosts().has(certname) && !out.has(certname)) out.set(certname, why);
    },
    leaveOutAnyhow: (certname, why) => void out.set(certname, why),
    staying() {
      const hosts = [...named.hosts()];
      return out.size === 0 ? hosts : hosts.filter((certname) => !out.has(certname));
    },
    explained() {
      const told = [...named.reasons()].map(([certname, reasons]): Explained => {
        const why = out.get(certname);
        return {
          certname,
          isIn: why === undefined,
          because: why === undefined ? reasons : [...reasons, why],
        };
      });
      return told.sort((a, b) => Number(b.isIn) - Number(a.isIn));
    },
  };
}

/** All who were named, and by what; why is seldom asked. */
function createNamed() {
  const parts: { hosts: Members; reason: string }[] = [];
  let union: Set<string> | undefined;

  function hosts(): Members {
    if (parts.length < 2) return parts[0]?.hosts ?? new Set();
    union ??= new Set(parts.flatMap((part) => [...part.hosts]));
    return union;
  }

  return {
    hosts,
    add(hosts: Members, reason: string): void {
      parts.push({ hosts, reason });
      if (union !== undefined) for (const certname of hosts) union.add(certname);
    },
    /** Hosts that were named alike share one list: there may be very many. */
    reasons(): Map<string, readonly string[]> {
      const because = new Map<string, readonly string[]>();
      for (const { hosts, reason } of parts) {
        const alone = [reason];
        for (const certname of hosts) {
          const reasons = because.get(certname);
          because.set(certname, reasons === undefined ? alone : [...reasons, reason]);
        }
      }
      return because;
    },
  };
}
