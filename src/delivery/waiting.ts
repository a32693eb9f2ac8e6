/** A wait that something may cut short. */
export interface Waiting {
  wait: (milliseconds: number, wakeable: boolean) => Promise<void>;
  wake: () => void;
  /** Cuts short every wait. */
  hurry: () => void;
  end: () => void;
}

/** A wait that a wake-up or the end cuts short; a wake-up while nobody waits is kept for the next wait. */
export function createWaiting(): Waiting {
  let pending = false;
  let ended = false;
  let release: ((wakeable: boolean) => void) | undefined;
  return {
    wait: async (milliseconds, wakeable) => {
      if (ended || (wakeable && pending)) {
        pending = false;
        return;
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        release = (always) => {
          if (!always && !wakeable) return;
          clearTimeout(timer);
          resolve();
        };
      });
      release = undefined;
      if (wakeable) pending = false;
    },
    wake: () => {
      pending = true;
      release?.(false);
    },
    hurry: () => {
      pending = true;
      release?.(true);
    },
    end: () => {
      ended = true;
      release?.(true);
    },
  };
}
