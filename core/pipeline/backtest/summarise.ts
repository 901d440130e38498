import type { Message } from '../../model/delivery.ts';

/** A stretch of time in which something was wrong, as a person knows it. */
export interface KnownIncident {
  readonly name: string;
  /** Milliseconds since the epoch, half-open. */
  readonly from: number;
  readonly to: number;
  /** Absent: any. */
  readonly model?: string | undefined;
  readonly what?: string | undefined;
}

/** An incident as the alarms told of it: all messages of one episode. */
export interface ToldIncident {
  readonly id: string;
  readonly model: string;
  /** The worst tier that was raised. */
  readonly tier: 'yellow' | 'red';
  /** Time of its first and of its recovery's last message; it goes on where there is none. */
  readonly began: number;
  readonly ended: number | undefined;
  /** Times of its pages: red raised. */
  readonly pages: readonly number[];
  /** Times at which yellow was raised. */
  readonly notices: readonly number[];
  /** Of its first message. */
  readonly subject: string;
}

/** What the alarms made of a known incident. */
export interface Detection {
  readonly incident: KnownIncident;
  /** Time and tier of the first message about it; undefined: missed. */
  readonly first?: { readonly time: number; readonly tier: 'yellow' | 'red' } | undefined;
  /** Time of the first page about it. */
  readonly firstPage?: number | undefined;
  /** Ids of the incidents told that had a message in its time. One is as it should be. */
  readonly told: readonly string[];
}

export interface BacktestSummary {
  readonly weeks: number;
  readonly pages: number;
  readonly notices: number;
  readonly incidents: number;
  readonly pagesPerWeek: number;
  readonly noticesPerWeek: number;
  /** Of the known incidents: how many were told of. */
  readonly detected: number;
  /** Mean of those, seconds. */
  readonly meanDelaySeconds: number | undefined;
  /** Pages and yellow messages that belong to no known incident; undefined where none is known. */
  readonly besides: { readonly pages: number; readonly notices: number } | undefined;
}

const millisecondsPerWeek = 604_800_000;

/** The incidents that messages tell of, by their beginning. */
export function gatherIncidents(messages: readonly Message[]): readonly ToldIncident[] {
  const byEpisode = Map.groupBy(messages, ({ episode }) => episode);
  return [...byEpisode].map(([id, all]) => {
    const raised = (tier: Message['tier']) =>
      all.filter((message) => message.event === 'raised' && message.tier === tier).map(({ time }) => time);
    const pages = raised('red');
    const ended = all.findLast(({ event }) => event === 'recovered');
    const last = all.at(-1);
    return {
      id,
      model: all[0]?.model ?? '',
      tier: pages.length > 0 ? 'red' : 'yellow',
      began: all[0]?.time ?? 0,
      ended: last?.event === 'recovered' ? ended?.time : undefined,
      pages,
      notices: raised('yellow'),
      subject: all[0]?.subject ?? '',
    };
  });
}

/**
 * Which known incidents were told of, when and how often. A raise belongs to an incident from its beginning until its end
 * and `allowanceSeconds`: a window is judged only after its end, and shows what lay in it.
 */
export function detect(
  known: readonly KnownIncident[],
  messages: readonly Message[],
  allowanceSeconds: number,
): readonly Detection[] {
  return known.map((incident) => {
    const raised = messages.filter(
      (message) => message.event === 'raised' && isAbout(incident, message, allowanceSeconds),
    );
    const [first] = raised;
    return {
      incident,
      ...(first && { first: { time: first.time, tier: first.tier } }),
      firstPage: raised.find(({ tier }) => tier === 'red')?.time,
      told: [...new Set(raised.map(({ episode }) => episode))],
    };
  });
}

function isAbout(incident: KnownIncident, { time, model }: Message, allowanceSeconds: number): boolean {
  const isOfModel = incident.model === undefined || incident.model === model;
  return isOfModel && time >= incident.from && time < incident.to + allowanceSeconds * 1000;
}

/** @param from @param to the time replayed, milliseconds since the epoch */
export function summarise(
  messages: readonly Message[],
  detections: readonly Detection[],
  allowanceSeconds: number,
  from: number,
  to: number,
): BacktestSummary {
  const weeks = Math.max(to - from, 1) / millisecondsPerWeek;
  const raised = messages.filter(({ event }) => event === 'raised');
  const count = (all: readonly Message[]) => ({
    pages: all.filter(({ tier }) => tier === 'red').length,
    notices: all.filter(({ tier }) => tier === 'yellow').length,
  });
  const { pages, notices } = count(raised);
  const others = raised.filter(
    (message) => !detections.some(({ incident }) => isAbout(incident, message, allowanceSeconds)),
  );
  const delays = detections.flatMap(({ first, incident }) => (first ? [(first.time - incident.from) / 1000] : []));
  return {
    weeks,
    pages,
    notices,
    incidents: new Set(messages.map(({ episode }) => episode)).size,
    pagesPerWeek: pages / weeks,
    noticesPerWeek: notices / weeks,
    detected: delays.length,
    meanDelaySeconds: delays.length === 0 ? undefined : delays.reduce((sum, delay) => sum + delay, 0) / delays.length,
    besides: detections.length === 0 ? undefined : count(others),
  };
}

/**
 * Incidents told in `before` that `after` says nothing of: no message of that model was raised from the beginning of the
 * one to its end.
 */
export function findLost(before: readonly ToldIncident[], after: readonly ToldIncident[]): readonly ToldIncident[] {
  return before.filter(
    (one) =>
      !after.some(
        (other) =>
          other.model === one.model &&
          other.began <= (one.ended ?? Number.POSITIVE_INFINITY) &&
          (other.ended ?? Number.POSITIVE_INFINITY) >= one.began,
      ),
  );
}
