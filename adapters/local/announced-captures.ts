import type { AnnouncedCapture, CaptureQueue } from '../../core/pipeline/ports.ts';

/**
 * Capture objects that wait to be ingested, in memory: whoever sweeps takes them at once, in the same transaction. Of a
 * process that is killed in between neither the objects nor the notes on them stay.
 */
export class AnnouncedCaptures implements CaptureQueue {
  #waiting: AnnouncedCapture[] = [];

  async announce(captures: readonly AnnouncedCapture[]): Promise<void> {
    this.#waiting.push(...captures);
  }

  takeAll(): readonly AnnouncedCapture[] {
    const taken = this.#waiting;
    this.#waiting = [];
    return taken;
  }
}
