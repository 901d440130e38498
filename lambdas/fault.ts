import { AlarmMessageError } from '../core/alarm/alarm-message.ts';
import { DeliveryFailed, DeliveryRefused } from '../core/model/delivery-errors.ts';
import { BaselineError } from '../core/pipeline/model-runtime.ts';
import { IntegrityError } from '../core/pipeline/write-once.ts';

/** What a log may say of an error. */
export interface Fault {
  readonly name: string;
  /** Left out where it might repeat a payload: a parser's message quotes what it could not read. */
  readonly message?: string | undefined;
  /** Where it was thrown: functions and places only. */
  readonly at: readonly string[];
  /** The request that an AWS service refused. */
  readonly requestId?: string | undefined;
  readonly status?: number | undefined;
  readonly cause?: Fault | undefined;
}

/** An error whose message names configuration, keys and shapes only. */
export class PlainError extends Error {
  override readonly name: string = 'PlainError';
}

/** An event of another shape than this function is given. The message says what was expected, never what it held. */
export class EventShapeError extends PlainError {
  override readonly name = 'EventShapeError';
}

/** A deployment that lacks something the function needs. */
export class DeploymentError extends PlainError {
  override readonly name = 'DeploymentError';
}

/** What leaves a handler: Lambda writes it to the log whole, so it carries nothing of its cause. */
export class InvocationError extends PlainError {
  override readonly name = 'InvocationError';
}

const plainErrors = [
  DeliveryFailed,
  DeliveryRefused,
  PlainError,
  AlarmMessageError,
  BaselineError,
  IntegrityError,
] as const;
const maximumMessageLength = 500;
const maximumFrames = 8;
const maximumCauses = 3;

/** Takes out of an error what is safe to log. */
export function describeFault(error: unknown, depth = 0): Fault {
  if (!(error instanceof Error)) return { name: typeof error, at: [] };
  const metadata = '$metadata' in error ? error.$metadata : undefined;
  const isSafe = metadata !== undefined || plainErrors.some((known) => error instanceof known);
  return {
    name: error.name.slice(0, 100),
    message: isSafe ? error.message.slice(0, maximumMessageLength) : undefined,
    at: framesOf(error),
    ...readMetadata(metadata),
    cause: error.cause === undefined || depth >= maximumCauses ? undefined : describeFault(error.cause, depth + 1),
  };
}

function framesOf({ stack = '', message }: Error): readonly string[] {
  const start = stack.indexOf(message);
  // The message comes first and may hold lines that look like frames.
  const frames = start < 0 ? '' : stack.slice(start + message.length);
  return frames
    .split('\n')
    .filter((line) => line.startsWith('    at '))
    .slice(0, maximumFrames)
    .map((line) => line.slice('    at '.length));
}

function readMetadata(metadata: unknown): Pick<Fault, 'requestId' | 'status'> {
  if (typeof metadata !== 'object' || metadata === null) return {};
  const requestId = 'requestId' in metadata ? metadata.requestId : undefined;
  const status = 'httpStatusCode' in metadata ? metadata.httpStatusCode : undefined;
  return {
    requestId: typeof requestId === 'string' ? requestId : undefined,
    status: typeof status === 'number' ? status : undefined,
  };
}
