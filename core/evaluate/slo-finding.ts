import type { MinuteSlot } from '../model/profile.ts';
import type { Finding, SloVerdict } from '../model/verdict.ts';
import { findStart, type MinuteCount } from './excess-start.ts';
import { formatCount, formatDuration, formatMinute, formatName, formatNumber, formatShare } from './number-text.ts';

/** What an objective counts, and what is wrong with the bad ones. */
const eventWords: Readonly<Record<SloVerdict['kind'], readonly [events: string, fault: string]>> = {
  latency: ['requests', 'were too slow'],
  availability: ['requests', 'failed'],
  completeness: ['records', 'lack a required value'],
  freshness: ['minutes', 'had no record that is fresh enough'],
  metric: ['minutes', 'were out of bounds'],
};

/**
 * The finding of an objective whose error budget burns too fast: which pair of windows says so, how fast, what is left of
 * the budget and, where it burns beyond chance, for how long that will last. Undefined where none does.
 * @param slots ascending; as far back as they are at hand
 * @param endMinute of the windows, exclusive, where the verdict does not say another
 */
export function describeBurningSlo(
  slo: SloVerdict,
  slots: readonly MinuteSlot[],
  endMinute: number,
): Finding | undefined {
  const { burning } = slo;
  if (burning === undefined) return undefined;
  const { tier, threshold, longMinutes, shortMinutes, bad, valid, longRate } = burning;
  const end = burning.endMinute ?? endMinute;
  const [events, fault] = eventWords[slo.kind];
  const pair = `${tier === 'red' ? 'pages' : 'yellow'} from ${formatCount(threshold, 'time')} over both ${formatWindow(longMinutes)} and ${formatWindow(shortMinutes)}`;
  const sinceMinute = tier === 'red' ? findSince(slo, slots, end, longMinutes) : undefined;
  const observed = `${formatNumber(bad)} of ${formatNumber(valid)} ${events} of the last ${lastOf(longMinutes)} ${fault}`;
  const since = sinceMinute === undefined ? '' : `; since ${formatMinute(sinceMinute)}`;
  return {
    id: `slo:${slo.name}`,
    tier,
    kind: 'slo',
    message: `${formatName(slo.name)}: ${observed}, ${formatNumber(longRate)} times what the objective allows (${pair})${describeBudget(slo)}${since}`,
    evidence: {
      sloKind: slo.kind,
      good: slo.good,
      valid: slo.valid,
      objective: slo.objective,
      burnRateLong: slo.burnRateLong ?? null,
      burnRateShort: slo.burnRateShort ?? null,
      errorBudgetRemaining: slo.errorBudgetRemaining ?? null,
      errorBudgetExhaustionSeconds: slo.errorBudgetExhaustionSeconds ?? null,
      longMinutes,
      shortMinutes,
      threshold,
      bad,
      events: valid,
      longRate,
      shortRate: burning.shortRate,
      sinceMinute: sinceMinute ?? null,
      endMinute: end,
    },
  };
}

/** The finding of an objective whose metrics can't be read: it stays as it was, which people must know. */
export function describeUnmeasured({ name, kind }: Pick<SloVerdict, 'name' | 'kind'>, sinceMinute: number): Finding {
  return {
    id: `unmeasured:${name}`,
    tier: 'yellow',
    kind: 'unmeasured',
    message: `${formatName(name)}: what it is counted from has not been readable since ${formatMinute(sinceMinute)}; until it is, it is neither raised nor cleared`,
    evidence: { sloKind: kind, sinceMinute },
  };
}

function describeBudget({ errorBudgetRemaining, errorBudgetExhaustionSeconds }: SloVerdict): string {
  if (errorBudgetRemaining === undefined) return '';
  if (errorBudgetRemaining <= 0) return ', the error budget is spent';
  const left = `, ${formatShare(errorBudgetRemaining)} of the error budget is left`;
  if (errorBudgetExhaustionSeconds === undefined) return left;
  return `${left}, for ${formatDuration(errorBudgetExhaustionSeconds)} at the rate of the last 6 h`;
}

/** The likeliest start; the start of the long window where the trouble is as old as the oldest minute at hand. */
function findSince(
  { name, objective }: SloVerdict,
  slots: readonly MinuteSlot[],
  endMinute: number,
  longMinutes: number,
): number {
  const startMinute = endMinute - longMinutes;
  const recent = slots.filter(({ minute }) => minute < endMinute && minute >= startMinute);
  const eventsIn = (slot: MinuteSlot): MinuteCount => {
    const [, good, valid] = slot.slis.find(([slo]) => slo === name) ?? ['', 0, 0];
    return [valid - good, valid];
  };
  const start = findStart(recent, 1 - objective, eventsIn, endMinute);
  const first = slots.find((slot) => eventsIn(slot)[1] > 0)?.minute ?? endMinute;
  return longMinutes > 60 && start <= first ? startMinute : start;
}

/** `5 min`, `1 h`, `3 days`. */
function formatWindow(minutes: number): string {
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 2880) return `${formatNumber(minutes / 60)} h`;
  return `${formatNumber(minutes / 1440)} days`;
}

function lastOf(minutes: number): string {
  if (minutes === 60) return 'hour';
  return minutes === 1440 ? 'day' : formatWindow(minutes);
}
