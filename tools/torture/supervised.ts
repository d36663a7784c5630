/** A process of ours that is started again whenever it ends, as systemd does. */
import type { ChildProcess } from 'node:child_process';
import { sleep } from '../../src/util/clock.ts';
import { type AgentProcess, startAgentProcess } from '../agent-process.ts';

export interface SupervisedOptions {
  what: string;
  command: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Milliseconds in which it must be ready, whatever was done to its files. */
  withinMs: number;
  /** The message that says so. */
  ready?: string;
}

const AGAIN_MS = 100;

export class Supervised {
  readonly #options: SupervisedOptions;
  #running: AgentProcess | undefined;
  #starting: Promise<AgentProcess> | undefined;
  #held: Promise<void> | undefined;
  #isOver = false;
  /** How often it was started. */
  starts = 0;

  constructor(options: SupervisedOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#running?.pid;
  }

  /** Resolves when it is ready. Throws if it does not start in time. */
  async up(): Promise<AgentProcess> {
    if (this.#running !== undefined) return this.#running;
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /** Kills it, and does some work before it is started again. */
  async whileDown(work: () => Promise<void>): Promise<void> {
    while (this.#held !== undefined) await this.#held;
    let release = () => {};
    this.#held = new Promise((resolve) => (release = resolve));
    try {
      await this.#running?.kill('SIGKILL');
      await work();
    } finally {
      this.#held = undefined;
      release();
    }
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#starting?.catch(() => {});
    await this.#running?.kill('SIGKILL');
  }

  async #start(): Promise<AgentProcess> {
    const { what, command, env, withinMs, ready } = this.#options;
    const from = performance.now();
    let said = '';
    while (!this.#isOver) {
      await this.#held;
      let child: ChildProcess | undefined;
      const late = setTimeout(() => child?.kill('SIGKILL'), withinMs);
      try {
        this.starts += 1;
        const started = await startAgentProcess(command, {
          env,
          stderr: 'collect',
          ...(ready !== undefined && { ready }),
          onSpawn: (spawned) => (child = spawned),
        });
        this.#watch(started);
        return started;
      } catch (error) {
        said = String(error);
      } finally {
        clearTimeout(late);
      }
      // What kills it while it starts is a fault as well; that it never starts is not.
      if (performance.now() - from > withinMs) throw new Error(`${what} does not start: ${said}`);
      await sleep(AGAIN_MS);
    }
    throw new Error(`${what} is over`);
  }

  #watch(started: AgentProcess): void {
    this.#running = started;
    this.#starting = undefined;
    started.process.once('exit', () => {
      this.#running = undefined;
      if (!this.#isOver) void this.up().catch(() => {});
    });
  }
}
