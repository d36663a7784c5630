/** A choice in the making: which hosts were named and by what, and which were left out and why. */
import type { Members } from '../../conditions/nodeset/evaluate.ts';

/** Why a host is in or out. */
export interface Explained {
  certname: string;
  isIn: boolean;
  /** What named it; then, if it is out, what left it out. */
  because: readonly string[];
}

export interface Choice {
  /** All named hosts, in the order in which they were first named. */
  hosts(): Members;
  add(hosts: Members, reason: string): void;
  /** Keeps the first reason; does nothing if the host was not named. */
  leaveOut(certname: string, why: string): void;
  /** Replaces the first reason. */
  leaveOutInstead(certname: string, why: string): void;
  staying(): string[];
  /** Why hosts are out, by certname. */
  out: ReadonlyMap<string, string>;
  /** Every named host; those that are in come first. */
  explained(): Explained[];
}

export function createChoice(): Choice {
  const named = createNamed();
  const out = new Map<string, string>();
  return {
    out,
    hosts: named.hosts,
    add: named.add,
    leaveOut(certname, why) {
      if (named.hosts().has(certname) && !out.has(certname)) out.set(certname, why);
    },
    leaveOutInstead: (certname, why) => void out.set(certname, why),
    staying() {
      const hosts = [...named.hosts()];
      return out.size === 0 ? hosts : hosts.filter((certname) => !out.has(certname));
    },
    explained() {
      const explained = [...named.reasons()].map(([certname, reasons]): Explained => {
        const why = out.get(certname);
        return {
          certname,
          isIn: why === undefined,
          because: why === undefined ? reasons : [...reasons, why],
        };
      });
      return explained.sort((a, b) => Number(b.isIn) - Number(a.isIn));
    },
  };
}

/** All named hosts. Their reasons, which are seldom needed, are collected on demand. */
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
    /** Hosts named by the same things share one list: there may be very many. */
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
