import { pino } from 'pino';

/** What a log line may carry: numbers and names of our own world, never a patient's data or message content. */
export interface LogFields {
  readonly messageId?: number | undefined;
  readonly procedureId?: string | undefined;
  readonly transaction?: string | undefined;
  readonly peer?: string | undefined;
  readonly outcome?: string | undefined;
  readonly durationMs?: number | undefined;
  readonly rows?: number | undefined;
  /** What a worklist query asked for beside the patient. */
  readonly station?: string | undefined;
  readonly date?: string | undefined;
  readonly modality?: string | undefined;
  /** The AE title of `worklists[]` that it called. */
  readonly view?: string | undefined;
  /** Kind of a timer that fired. */
  readonly timer?: string | undefined;
  readonly attempt?: number | undefined;
  readonly port?: number | undefined;
  readonly remote?: string | undefined;
  readonly error?: string | undefined;
  readonly at?: string | undefined;
  readonly path?: string | undefined;
  readonly status?: number | undefined;
}

export interface Log {
  debug(fields: LogFields, text: string): void;
  info(fields: LogFields, text: string): void;
  warn(fields: LogFields, text: string): void;
  error(fields: LogFields, text: string): void;
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** JSON lines on standard error; results of commands go to standard output. */
export function createLog(level: LogLevel): Log {
  const logger = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  );
  return {
    debug: (fields, text) => logger.debug(fields, text),
    info: (fields, text) => logger.info(fields, text),
    warn: (fields, text) => logger.warn(fields, text),
    error: (fields, text) => logger.error(fields, text),
  };
}

export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
