import type { Trial } from '../../core/pipeline/backtest/suggest.ts';
import {
  type Detection,
  detect,
  findLost,
  gatherIncidents,
  type KnownIncident,
  summarise,
  type ToldIncident,
} from '../../core/pipeline/backtest/summarise.ts';
import type { ModelRuntime } from '../../core/pipeline/model-runtime.ts';
import type { Replayed } from './replays.ts';
import type { SettingChange } from './settings.ts';

/** How a side of the comparison came about. recorded: as it happened. rejudged: from its fragments. replayed: from captures. */
export type How = 'recorded' | 'rejudged' | 'replayed';

/** One configuration's side: all that is printed of it. */
export interface Side {
  readonly config: string;
  readonly how: How;
  readonly replayed: Replayed;
  readonly incidents: readonly ToldIncident[];
  readonly detections: readonly Detection[];
  readonly summary: ReturnType<typeof summarise>;
  /** Before the first known incident; undefined where none is known. */
  readonly quiet?: {
    readonly until: number;
    readonly windows: number;
    readonly pages: number;
    readonly notices: number;
  };
}

export interface Period {
  readonly from: number;
  readonly to: number;
}

/** From a window's end to the message about it, and what the alarms and their suppressors take. */
const alarmSeconds = 900;

/** A model's incident shows at the latest when the window it ended in was judged. */
function allowanceSeconds(runtimes: readonly ModelRuntime[]): number {
  return Math.max(...runtimes.map(({ policy }) => policy.windowSeconds + policy.graceSeconds)) + alarmSeconds;
}

export function describeSide(
  config: string,
  how: How,
  replayed: Replayed,
  known: readonly KnownIncident[],
  runtimes: readonly ModelRuntime[],
  { from, to }: Period,
): Side {
  const { messages, windows } = replayed;
  const allowance = allowanceSeconds(runtimes);
  const detections = detect(known, messages, allowance);
  const [first] = known;
  const raised = messages.filter(({ event, time }) => event === 'raised' && first && time < first.from);
  const quiet = first && {
    until: first.from,
    windows: windows.filter(({ window }) => Date.parse(window.end) <= first.from).length,
    pages: raised.filter(({ tier }) => tier === 'red').length,
    notices: raised.filter(({ tier }) => tier === 'yellow').length,
  };
  return {
    config,
    how,
    replayed,
    incidents: gatherIncidents(messages),
    detections,
    summary: summarise(messages, detections, allowance, from, to),
    ...(quiet && { quiet }),
  };
}

/** What `--suggest` found. */
export interface Suggestion {
  readonly wanted: { readonly pagesPerWeek: number; readonly noticesPerWeek?: number | undefined };
  /** Of which messages there are more than that now. */
  readonly wants: { readonly red: boolean; readonly yellow: boolean };
  readonly tickMinutes: number;
  readonly trials: readonly Trial<SettingChange, TrialOutcome>[];
  /** Of the trials, those worth a look: the mildest sufficient change of each setting, the least missed first. */
  readonly proposals: readonly Trial<SettingChange, TrialOutcome>[];
}

export interface TrialOutcome {
  readonly pagesPerWeek: number;
  readonly noticesPerWeek: number;
  /** Known incidents that were told of and would not be any more. */
  readonly missed: readonly string[];
  /** Incidents that were told, of which nothing would be said any more. */
  readonly lost: readonly ToldIncident[];
}

export function outcomeOf(side: Side, current: Side): TrialOutcome {
  const missed = side.detections.flatMap(({ incident, first }, index) =>
    !first && current.detections[index]?.first ? [incident.name] : [],
  );
  const { pagesPerWeek, noticesPerWeek } = side.summary;
  return { pagesPerWeek, noticesPerWeek, missed, lost: findLost(current.incidents, side.incidents) };
}

/** The report as one JSON document: the shape is that of `tidewatch.backtest/1` in docs/backtest.md. */
export function toJson(
  head: Readonly<Record<string, unknown>>,
  period: Period,
  current: Side,
  against: Side | undefined,
  suggestion: Suggestion | undefined,
) {
  return {
    schema: 'tidewatch.backtest/1',
    ...head,
    period: { from: iso(period.from), to: iso(period.to), weeks: round(current.summary.weeks) },
    current: sideJson(current),
    against: against ? sideJson(against) : null,
    difference: against
      ? {
          lost: findLost(current.incidents, against.incidents).map(incidentJson),
          gained: findLost(against.incidents, current.incidents).map(incidentJson),
        }
      : null,
    suggestion: suggestion ? suggestionJson(suggestion) : null,
  };
}

function sideJson({ config, how, replayed, incidents, detections, summary, quiet }: Side) {
  const { messages, transitions, windows } = replayed;
  return {
    config,
    how,
    summary: {
      pages: summary.pages,
      pagesPerWeek: round(summary.pagesPerWeek),
      yellow: summary.notices,
      yellowPerWeek: round(summary.noticesPerWeek),
      incidents: summary.incidents,
      detected: summary.detected,
      missed: detections.length - summary.detected,
      meanSecondsToDetect: summary.meanDelaySeconds === undefined ? null : Math.round(summary.meanDelaySeconds),
      besidesKnown: summary.besides ? { pages: summary.besides.pages, yellow: summary.besides.notices } : null,
      windows: {
        judged: windows.length,
        yellow: windows.filter(({ tier }) => tier === 'yellow').length,
        red: windows.filter(({ tier }) => tier === 'red').length,
      },
    },
    quiet: quiet
      ? { until: iso(quiet.until), windows: quiet.windows, pages: quiet.pages, yellow: quiet.notices }
      : null,
    known: detections.map(({ incident, first, firstPage, told }) => ({
      name: incident.name,
      model: incident.model ?? null,
      from: iso(incident.from),
      to: iso(incident.to),
      what: incident.what ?? null,
      detected: first !== undefined,
      tier: first?.tier ?? null,
      secondsToDetect: first ? (first.time - incident.from) / 1000 : null,
      secondsToPage: firstPage === undefined ? null : (firstPage - incident.from) / 1000,
      incidents: told,
    })),
    incidents: incidents.map(incidentJson),
    messages: messages.map(({ id, time, tier, event, model, episode, subject, text }) => ({
      id,
      time: iso(time),
      tier,
      event,
      model,
      incident: episode,
      subject,
      text,
    })),
    transitions: transitions.map(({ time, ...transition }) => ({ time: iso(time), ...transition })),
  };
}

function incidentJson({ id, model, tier, began, ended, pages, notices, subject }: ToldIncident) {
  return {
    id,
    model,
    tier,
    from: iso(began),
    to: ended === undefined ? null : iso(ended),
    pages: pages.length,
    yellow: notices.length,
    subject,
  };
}

function suggestionJson({ wanted, wants, tickMinutes, trials, proposals }: Suggestion) {
  const isReached = (tier: 'yellow' | 'red') => !wants[tier] || proposals.some((one) => one.tier === tier);
  const trialJson = ({ tier, changes, outcome, suffices }: Suggestion['trials'][number]) => ({
    for: tier === 'red' ? 'pages' : 'yellow',
    changes: changes.map(({ setting, model, from, to }) => ({ setting, model: model ?? null, from, to })),
    pagesPerWeek: round(outcome.pagesPerWeek),
    yellowPerWeek: round(outcome.noticesPerWeek),
    suffices,
    missed: outcome.missed,
    lost: outcome.lost.map(incidentJson),
  });
  return {
    wanted: { pagesPerWeek: wanted.pagesPerWeek, yellowPerWeek: wanted.noticesPerWeek ?? null },
    alreadyWithin: !wants.red && !wants.yellow,
    reached: { pages: isReached('red'), yellow: isReached('yellow') },
    stepMinutes: tickMinutes,
    proposals: proposals.map(trialJson),
    trials: trials.map(trialJson),
  };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
