/** A fleet as it is asked for, and what its processes tell each other. */
import type { Fault, Share } from './faults.ts';
import type { FleetKeyType } from './mint.ts';
import type { Shape } from './shape.ts';

export interface FleetOptions {
  hosts: number;
  /** Of all addresses. */
  port: number;
  /** How many the hosts are spread over. */
  processes: number;
  shape: Shape;
  faults: readonly Share[];
  controllerKey: FleetKeyType;
  /** Where certificates are kept for the next time; absent: thrown away. */
  keep?: string;
}

export const DEFAULTS: FleetOptions = {
  hosts: 100,
  port: 18139,
  processes: 2,
  shape: { times: { kind: 'fixed', ms: 1000 }, outcomes: [['unchanged', 1]], logLines: 0, seed: 1 },
  faults: [],
  controllerKey: 'p256',
};

export const MAX_HOSTS = 60_000;
const DOMAIN = 'fleet.example';
export const FLEET_CONTROLLER = `puppet.${DOMAIN}`;

export function certnameOf(number: number): string {
  return `host${String(number).padStart(5, '0')}.${DOMAIN}`;
}

/** 127.1.0.0 and what follows: all of 127.0.0.0/8 is this machine (RFC 1122 3.2.1.3). */
export function addressOf(number: number): string {
  return `127.${1 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
}

/** What a process of the fleet is told first. */
export interface MemberTask {
  /** The numbers of its hosts: first, first + step, … */
  first: number;
  step: number;
  hosts: number;
  port: number;
  shape: Shape;
  faults: readonly (readonly [number, Fault])[];
  /** The CA, and where hosts' certificates are kept. */
  certificates: string;
  /** Where hosts keep their state. */
  state: string;
}

export type Order = { type: 'start'; task: MemberTask } | { type: 'usage' } | { type: 'stop' };

export interface Usage {
  /** Milliseconds of CPU of all its threads since it was started. */
  cpuMs: number;
  /** MB (2^20 bytes). */
  rssMb: number;
}

export type Answer =
  | { type: 'progress'; ready: number }
  | { type: 'ready' }
  | { type: 'usage'; usage: Usage }
  | { type: 'failed'; message: string; hint?: string };
