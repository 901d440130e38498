/** How many records come when. */
export interface Traffic {
  /** Mean records of an hour of a weekday. */
  readonly recordsPerHour: number;
  /** Volume of a weekend's or holiday's hour against a weekday's. */
  readonly weekendVolume: number;
  /** The logarithm of the volume is an AR(1) series over the hours. */
  readonly persistence?: { readonly coefficient: number; readonly deviation: number };
  /** Hours with many times the records, at random. With a deviation the logarithm of their height is normal around the factor's. */
  readonly bursts?: { readonly chance: number; readonly factor: number; readonly deviation?: number };
}

/** How a healthy feature's mean moves, in standard deviations. */
export interface Movement {
  /** Half of a sine's height over the day; every feature has a phase of its own. */
  readonly dailySwing: number;
  /** Up or down, by feature. */
  readonly weekendShift: number;
  /** Standard deviation of a new mean every day. */
  readonly dailyWander: number;
  /** AR(1) over the hours. */
  readonly hourlyWander?: { readonly coefficient: number; readonly deviation: number };
  /** Standard deviation of the share of missing values from day to day, around 1 %. */
  readonly missingWander: number;
}

/** What the features are like. */
export type FeatureShape =
  | { readonly kind: 'normal' }
  /** Half Student t with three degrees of freedom, half log-normal. */
  | { readonly kind: 'heavy' }
  /** Blocks of features that share a latent factor with this share of their variance, and share their wander. */
  | { readonly kind: 'correlated'; readonly blocks: number; readonly factorShare: number }
  /** Normal, but for some that hold Zipf-distributed identifiers, most of them rare. */
  | { readonly kind: 'identifiers'; readonly identifiers: number };

/** A healthy model's traffic, from which no alarm may come. */
export interface Scenario {
  readonly name: string;
  readonly traffic: Traffic;
  readonly movement: Movement;
  readonly shape: FeatureShape;
  /** Days, counted from the stream's first, that behave like a weekend and stand in the calendar. */
  readonly holidays: readonly number[];
  /** One caller's batch, at the same hour of every week, unlike the rest. */
  readonly batch?: { readonly records: number; readonly hourOfWeek: number; readonly deviation: number };
  /** Share of missing values of every feature, on average. */
  readonly missingShare: number;
  /** Some features, the first, are missing more often than not: shares between these two, evenly spaced. */
  readonly sparse?: { readonly features: number; readonly lowest: number; readonly highest: number };
  /** These features, the first, have values on weekdays between these hours only. */
  readonly officeHours?: { readonly features: number; readonly from: number; readonly to: number };
  /** Hours that the baseline spans, where not four weeks. */
  readonly baselineHours?: number;
  /** False: the baseline is a table without times. */
  readonly timed?: boolean;
  /** Judged weeks of each simulated model, where not two. */
  readonly liveWeeks?: number;
  /** This share of the records goes to a canary, which is judged beside the stable version. */
  readonly canaryShare: number;
  /** The hour of each judged model's live time at which a new version, unlike in its predictions, takes over. */
  readonly retrainedAt?: number;
}

/** What is the same in every scenario. */
export const plan = {
  features: 200,
  baselineWeeks: 4,
  /** Judged weeks of each simulated model: one in which the longest scales fill, one in which they are full. */
  liveWeeks: 2,
  /** Features that are the model's outputs: relearned after a retraining. */
  predictions: 2,
  /** A Monday, 00:00 UTC. */
  start: Date.UTC(2026, 2, 2),
} as const;

export const hoursPerDay = 24;
export const hoursPerWeek = 168;
export const hourMilliseconds = 3_600_000;

/** Hours of a stream's baseline. */
export const baselineHours = plan.baselineWeeks * hoursPerWeek;

const still: Movement = { dailySwing: 0, weekendShift: 0, dailyWander: 0, missingWander: 0 };
const season: Movement = { ...still, dailySwing: 0.3, weekendShift: 0.3 };
/** Wander of the mean of .05σ comes with a missing share of 1 % ± .1 %, one of .15σ with ± .3 %. */
const calm: Movement = { ...season, dailyWander: 0.05, missingWander: 0.001 };
const restless: Movement = { ...season, dailyWander: 0.15, missingWander: 0.003 };
const weekly: Traffic = { recordsPerHour: 500, weekendVolume: 0.5 };

const usual: Omit<Scenario, 'name'> = {
  traffic: weekly,
  movement: calm,
  shape: { kind: 'normal' },
  holidays: [],
  missingShare: 0.01,
  canaryShare: 0,
};

/** The matrix of healthy streams. Unless said otherwise: season, daily wander of .05σ, 500 records an hour. */
export const scenarios: readonly Scenario[] = [
  {
    ...usual,
    name: 'independent null',
    traffic: { recordsPerHour: 500, weekendVolume: 1 },
    movement: still,
  },
  { ...usual, name: 'season', movement: season },
  { ...usual, name: 'wander .05' },
  { ...usual, name: 'wander .15', movement: restless },
  // A Tuesday of the baseline, a Wednesday and a Monday of the live weeks.
  { ...usual, name: 'holiday', holidays: [8, 30, 35] },
  { ...usual, name: 'bursts', traffic: { ...weekly, bursts: { chance: 0.02, factor: 10 } } },
  {
    ...usual,
    name: 'log-normal bursts',
    traffic: { ...weekly, bursts: { chance: 0.02, factor: 10, deviation: 1 } },
  },
  { ...usual, name: 'half missing', sparse: { features: 20, lowest: 0.5, highest: 0.9 } },
  { ...usual, name: 'office hours', officeHours: { features: 20, from: 8, to: 18 } },
  { ...usual, name: 'weekly batch', batch: { records: 300, hourOfWeek: 27, deviation: 1 } },
  {
    ...usual,
    name: 'AR(1) traffic',
    traffic: { ...weekly, persistence: { coefficient: 0.8, deviation: 0.3 } },
    movement: { ...season, hourlyWander: { coefficient: 0.8, deviation: 0.05 } },
  },
  { ...usual, name: 'heavy tails', shape: { kind: 'heavy' } },
  { ...usual, name: 'correlated features', shape: { kind: 'correlated', blocks: 10, factorShare: 0.8 } },
  { ...usual, name: 'new ids', shape: { kind: 'identifiers', identifiers: 10 } },
  { ...usual, name: '5 % canary', canaryShare: 0.05 },
  // Its outputs are judged from the tenth live day on.
  { ...usual, name: 'retrained version', retrainedAt: 62, liveWeeks: 3 },
  { ...usual, name: 'one week of baseline', baselineHours: hoursPerWeek },
  // Hours are told apart from its second live week on.
  { ...usual, name: 'training table', timed: false, liveWeeks: 3 },
  { ...usual, name: '50 an hour', traffic: { ...weekly, recordsPerHour: 50 } },
  { ...usual, name: '5,000 an hour', traffic: { ...weekly, recordsPerHour: 5_000 } },
  { ...usual, name: '10,000 an hour', traffic: { ...weekly, recordsPerHour: 10_000 } },
  { ...usual, name: 'wander .15, 5,000 an hour', traffic: { ...weekly, recordsPerHour: 5_000 }, movement: restless },
];

/** Judged weeks of each simulated model of a scenario. */
export function liveWeeksOf({ liveWeeks = plan.liveWeeks }: Scenario): number {
  return liveWeeks;
}

/** The scenario's days that count as weekends, as a calendar says them. */
export function calendarDays(scenario: Scenario): readonly (readonly [date: string, kind: 'weekend'])[] {
  return scenario.holidays.map((day) => {
    const date = new Date(plan.start + day * hoursPerDay * hourMilliseconds).toISOString().slice(0, 10);
    return [date, 'weekend'] as const;
  });
}

/** True on Saturdays, Sundays and the scenario's holidays. */
export function restsAt(scenario: Scenario, hour: number): boolean {
  const day = Math.floor(hour / hoursPerDay);
  return day % 7 >= 5 || scenario.holidays.includes(day);
}
