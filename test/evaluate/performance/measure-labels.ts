import { judgeQuality } from '../../../core/evaluate/performance/judge-quality.ts';
import { cohortOf, createQualityPolicy, dayName, firstDay, runUneven } from './label-streams.ts';
import { seededUniform } from './streams.ts';

/**
 * What docs/statistics/predictions.md says of labels that come unevenly and late: `node test/evaluate/performance/measure-labels.ts 300 77`.
 * Arguments: runs, seed.
 */
const [runs, seed] = [Number(process.argv[2] ?? 300), Number(process.argv[3] ?? 77)];
const uniform = seededUniform(seed);
const print = (row: object) => process.stdout.write(`${JSON.stringify(row)}\n`);
const uneven = { perDay: 60, badAfterDays: 60, goodAfterDays: 300, labelsWithinDays: 61 };

for (const rate of [0.92, 0.85]) {
  const outcomes = Array.from({ length: runs }, () =>
    runUneven({ ...uneven, days: 380, everyDays: 10, rateOf: () => rate }, uniform),
  );
  const count = (of: 'red' | 'yellow' | 'naiveRed') => outcomes.filter((one) => Number.isFinite(one[of])).length;
  print({ uneven: rate, runs, red: count('red'), yellow: count('yellow'), shownAlone: count('naiveRed') });
}

const delays = Array.from({ length: Math.ceil(runs / 15) }, () => {
  const rateOf = (at: number) => (at < 150 ? 0.92 : 0.8);
  return runUneven({ ...uneven, days: 260, everyDays: 1, rateOf }, uniform).red - 150;
});
print({ declineDays: delays.sort((a, b) => a - b) });

/** Hours from a decline to red, 20 labels an hour that come within one, looked at each hour. */
function hoursToRed(healthyHours: number): number {
  const policy = createQualityPolicy([{ labelsWithinSeconds: 3600 }]);
  const hours: number[] = [];
  for (let hour = 0; hour < healthyHours + 150; hour++) {
    const rate = hour < healthyHours ? 0.92 : 0.8;
    hours.push(Array.from({ length: 20 }, uniform).filter((drawn) => drawn < rate).length);
    if (hour < healthyHours + 15) continue;
    const cohorts = Array.from({ length: Math.ceil(hours.length / 24) }, (_, day) =>
      cohortOf(
        { day: dayName(day) },
        {
          hours: hours.slice(day * 24, day * 24 + 24).map((good, own) => ({
            hour: own,
            predicted: 20,
            others: 0,
            truePositives: good,
            falsePositives: 20 - good,
            falseNegatives: 0,
            trueNegatives: 0,
          })),
        },
      ),
    );
    const now = firstDay + (hour + 2) * 3_600_000;
    const { tier } = judgeQuality({ policy, cohorts, ids: 0, matched: 0, now, calibrations: new Map() });
    if (tier === 'red') return hour + 2 - healthyHours;
  }
  return Number.POSITIVE_INFINITY;
}
const hourly = Array.from({ length: Math.ceil(runs / 12) }, (_, run) => hoursToRed(28 * 24 + (run % 4) * 6));
print({ hoursToRed: hourly.sort((a, b) => a - b) });
