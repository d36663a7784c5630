/** Requests in the making, by name: of the same one, one after another. */
export interface Making {
  /** Resolves once it is no longer being made. Never rejects. */
  made(name: string): Promise<void>;
  make(name: string, create: () => Promise<boolean>): Promise<boolean>;
}

export function createMaking(): Making {
  const making = new Map<string, Promise<boolean>>();
  const made = async (name: string) => void (await making.get(name)?.catch(() => false));
  return {
    made,
    async make(name, create) {
      const mine = made(name).then(create);
      making.set(name, mine);
      try {
        return await mine;
      } finally {
        if (making.get(name) === mine) making.delete(name);
      }
    },
  };
}
