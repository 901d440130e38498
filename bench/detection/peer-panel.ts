import { EpisodeCounter } from './alarm-rate.ts';
import type { PeerCounts } from './healthy-model.ts';
import type { StreamFeature, StreamWindow } from './model-stream.ts';
import type { PeerReference } from './peers/peer-rule.ts';
import { peerRules } from './peers/peer-rules.ts';
import type { RandomSource } from './random-source.ts';

interface Seat {
  readonly name: string;
  /** Per numeric feature. */
  readonly judges: readonly ((counts: Float64Array) => boolean)[];
  readonly episodes: EpisodeCounter;
  flags: number;
}

/** All peers' rules over the numeric features of one stream that is counted in the fine grid. */
export class PeerPanel {
  readonly #seats: readonly Seat[];

  constructor(features: readonly StreamFeature[], baseline: readonly StreamWindow[], random: RandomSource) {
    const references = features.flatMap((feature, index) =>
      feature.kind === 'numeric' ? [describeReference(feature, index, baseline)] : [],
    );
    this.#seats = peerRules.map((rule) => ({
      name: rule.name,
      judges: references.map((reference) => rule.prepare(reference, random)),
      episodes: new EpisodeCounter(),
      flags: 0,
    }));
  }

  /** @returns per rule, the numeric features it flags. */
  judge(window: StreamWindow): readonly (readonly number[])[] {
    const present = window.fine.map((counts) => counts.subarray(0, -1));
    return this.#seats.map((seat) => {
      const flagged = present.flatMap((counts, feature) => (seat.judges[feature]?.(counts) ? [feature] : []));
      seat.flags += flagged.length;
      seat.episodes.add(flagged.length > 0);
      return flagged;
    });
  }

  counts(): readonly (readonly [rule: string, PeerCounts])[] {
    return this.#seats.map(({ name, episodes, flags }) => [
      name,
      { yellowEpisodes: episodes.episodes, yellowWindows: episodes.alarmWindows, flags },
    ]);
  }
}

function describeReference(
  feature: Extract<StreamFeature, { kind: 'numeric' }>,
  index: number,
  baseline: readonly StreamWindow[],
): PeerReference {
  const chunks = baseline.map((window) => (window.fine[index] ?? new Float64Array(1)).subarray(0, -1));
  const counts = new Float64Array(chunks[0]?.length ?? 0);
  for (const chunk of chunks)
    for (let bin = 0; bin < counts.length; bin++) counts[bin] = (counts[bin] ?? 0) + (chunk[bin] ?? 0);
  const { grid, family } = feature.counter;
  return { grid, standardDeviation: family.standardDeviation, counts, chunks };
}
