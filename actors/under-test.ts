import type { Config } from '../src/platform/config.ts';
import type { Life, OrderFiller } from './stage.ts';
import { type ThrowawayServer, startThrowawayServer } from './throwaway-server.ts';

/** The Order Filler that scenarios are played against. */
export interface UnderTest {
  /** Where it is, once it has the settings of this site. Rejects with ServerDidNotStart. */
  on(site: Config): Promise<OrderFiller>;
  /** Undefined for one that runs already. */
  readonly life?: Life | undefined;
  /** Ends what was started for the playing. */
  end(): Promise<void>;
}

/** One that runs already, whatever its settings are. */
export function runningAt(orderFiller: OrderFiller): UnderTest {
  return { on: async () => orderFiller, end: async () => {} };
}

interface Options {
  /** The folder for its log. */
  readonly transcripts: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** A throwaway server, started when it is first needed, and started again on the same data for another site. */
export function startedForThis(options: Options): UnderTest {
  let server: ThrowawayServer | undefined;
  const start = async (site: Config): Promise<OrderFiller> => {
    if (server) return server.restart(site.file);
    server = await startThrowawayServer({ ...options, siteFile: site.file });
    return server.orderFiller;
  };
  let now: { readonly site: Config; readonly orderFiller: OrderFiller } | undefined;
  return {
    on: async (site) => {
      if (now?.site !== site) now = { site, orderFiller: await start(site) };
      const { http, ...rest } = now.orderFiller;
      return { ...rest, http: http && { ...http, token: site.apiToken } };
    },
    life: { kill: async () => server?.kill(), start: async () => server?.start() },
    end: async () => server?.stop(),
  };
}
