import { Logger } from '@aws-lambda-powertools/logger';
import type { Fault } from './fault.ts';

/** What a log line says beside its message: names, counts and ids. Never a value out of a payload. */
export interface LogFields {
  readonly [name: string]: string | number | boolean | readonly string[] | Fault | undefined;
}

export interface Log {
  info(message: string, fields: LogFields): void;
  warn(message: string, fields: LogFields): void;
  error(message: string, fields: LogFields): void;
}

/** Structured lines on standard output; service and level come from the environment. */
export function createLog(): Log {
  const logger = new Logger();
  return {
    info: (message, fields) => logger.info(message, { ...fields }),
    warn: (message, fields) => logger.warn(message, { ...fields }),
    error: (message, fields) => logger.error(message, { ...fields }),
  };
}

/** A log whose every line carries these fields as well: what is handled has its ids with it. */
export function bindLog(log: Log, bound: LogFields): Log {
  return {
    info: (message, fields) => log.info(message, { ...bound, ...fields }),
    warn: (message, fields) => log.warn(message, { ...bound, ...fields }),
    error: (message, fields) => log.error(message, { ...bound, ...fields }),
  };
}
