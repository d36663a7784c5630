/** Runs the steps of the queue one after another; anything that happens meanwhile triggers another step. */

export interface DriverOptions {
  /** Resolves to the milliseconds until the next step even if nothing happens; undefined: never. */
  step(): Promise<number | undefined>;
  /** Called when a step fails. Must not reject. */
  onError(error: unknown): Promise<void>;
}

export interface Driver {
  drive(): void;
  /** Resolves once no step is under way. */
  idle(): Promise<void>;
  readonly isClosed: boolean;
  /** Whether a step is under way. */
  readonly isDriving: boolean;
  /** Starts no further step; resolves once the last one has ended. */
  close(): Promise<void>;
}

export function createDriver({ step, onError }: DriverOptions): Driver {
  let isClosed = false;
  let isDriving = false;
  let again = false;
  let timer: NodeJS.Timeout | undefined;
  let turn: Promise<void> = Promise.resolve();

  async function safely(): Promise<number | undefined> {
    try {
      return await step();
    } catch (error) {
      await onError(error);
      return undefined;
    }
  }

  async function run(): Promise<void> {
    let nextMs: number | undefined;
    while (again && !isClosed) {
      again = false;
      nextMs = await safely();
    }
    isDriving = false;
    if (nextMs !== undefined && !isClosed) timer = setTimeout(drive, nextMs);
  }

  function drive(): void {
    again = true;
    if (isDriving || isClosed) return;
    isDriving = true;
    clearTimeout(timer);
    turn = run();
  }

  return {
    drive,
    async idle() {
      while (isDriving) await turn;
    },
    get isClosed() {
      return isClosed;
    },
    get isDriving() {
      return isDriving;
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await turn;
    },
  };
}
