/** A fleet as it is asked for, and what its processes tell each other. */

import type { Shape } from '../../src/cli/demo/run-shape.ts';
import type { Fault, Share } from './faults.ts';

export const CONTROLLER_KEYS = ['p256', 'rsa-2048', 'rsa-4096'] as const;
export type ControllerKey = (typeof CONTROLLER_KEYS)[number];

export interface FleetOptions {
  hosts: number;
  /** Of all addresses. */
  port: number;
  /** How many the hosts are spread over. */
  processes: number;
  shape: Shape;
  faults: readonly Share[];
  controllerKey: ControllerKey;
  /** Where certificates are kept for the next time; absent: thrown away. */
  keep?: string;
  /** Whether a broker (NATS) leads to the hosts as well as their ports. */
  nats?: boolean;
  /** Their certnames; defaults to host00000 and so on. */
  names?: readonly string[];
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
export const FLEET_CA = 'Fleet CA';

export function certnameOf(number: number, names: readonly string[] = []): string {
  return names[number] ?? `host${String(number).padStart(5, '0')}.${DOMAIN}`;
}

/** 127.1.0.0 and what follows: all of 127.0.0.0/8 is this machine (RFC 1122 3.2.1.3). */
export function addressOf(number: number): string {
  return `127.${1 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
}

/** The first message to a process of the fleet. */
export interface MemberTask {
  /** The numbers of its hosts: first, first + step, … */
  first: number;
  step: number;
  hosts: number;
  port: number;
  shape: Shape;
  faults: readonly (readonly [number, Fault])[];
  names?: readonly string[];
  /** The folder that keeps the CA and the hosts' certificates. */
  certificates: string;
  /** Where hosts keep their state. */
  state: string;
  /** The broker, `host:port`. */
  nats?: string;
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
