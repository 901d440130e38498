import type { Clock } from '../../core/pipeline/ports.ts';

/** The wall clock. */
export class SystemClock implements Clock {
  now(): number {
    return Date.now();
  }
}
