import type { RecordedVerdict } from './recorded-verdicts.ts';

const hour = 3_600_000;

/**
 * Times at which nothing was found live, as it was recorded. Milder settings find nothing there either. In every hour one
 * time is judged all the same: what is remembered from hour to hour goes on.
 * @param verdicts closed and live, by the time they came into force
 * @param stepMilliseconds time between two judgements
 */
export function quietTimes(
  verdicts: readonly RecordedVerdict[],
  stepMilliseconds: number,
): (model: string, time: number) => boolean {
  const live = verdicts.filter(({ series }) => series === undefined);
  const ofModels = Map.groupBy(live, ({ verdict }) => verdict.model);
  return (model, time) => {
    if (time % hour < stepMilliseconds) return false;
    const inForce = ofModels.get(model)?.findLast(({ at }) => at <= time);
    return inForce === undefined || inForce.verdict.tier === 'green';
  };
}
