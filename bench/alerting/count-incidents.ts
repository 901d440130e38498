import { healthCause } from '../../core/route/alarm-notice.ts';
import type { EpisodeMessage } from '../../core/route/episode.ts';
import { createRandomSource } from '../detection/random-source.ts';
import { type Delivery, drawTrace, type Trace, type TraceKind, traceKinds } from './incident-traces.ts';
import { playTrace, type Said, traceStart } from './play-trace.ts';

const minute = 60_000;

/** What became of the true episodes of some traces. */
export interface IncidentCount {
  readonly traces: number;
  readonly episodes: number;
  readonly redEpisodes: number;
  readonly incidents: number;
  readonly incidentsPerEpisode: number;
  /** Red episodes whose cause never paged from their beginning to half an hour after their end. */
  readonly missedRed: number;
  /** Yellow episodes without an incident. */
  readonly missedYellow: number;
  /** Episodes with more than one incident. */
  readonly splitEpisodes: number;
  /** Incidents that no episode of their model explains: most of them dependents that should be muted. */
  readonly strayIncidents: number;
  /** Messages that page, per red episode: above 1 where one is paged of again after a recovery that came late. */
  readonly pagesPerRedEpisode: number;
  /** Minutes from the first red to the page, 99 of 100. */
  readonly pageDelayMinutes99: number;
}

type Tally = Omit<IncidentCount, 'incidentsPerEpisode' | 'pagesPerRedEpisode' | 'pageDelayMinutes99'> & {
  readonly pages: number;
  readonly delays: readonly number[];
};

/** Notices as a working path delivers them: retries of a function come after one and two minutes more. */
export const usualDelivery: Delivery = { lateShare: 0.15, lateMinutes: 3, repeatedShare: 0.25, cutShare: 0.1 };
/** A path in trouble: a tenth of the notices take up to half an hour. */
export const troubledDelivery: Delivery = { ...usualDelivery, lateShare: 0.1, lateMinutes: 30 };

/** Plays so many traces, of each kind in turn. */
export function countIncidents(traces: number, seed: string, delivery: Delivery) {
  const tallies = Array.from({ length: traces }, (_, index): readonly [TraceKind, Tally] => {
    const kind = traceKinds[index % traceKinds.length] ?? 'flapping';
    const trace = drawTrace(kind, createRandomSource(`${seed} ${index}`), delivery);
    return [kind, tallyTrace(trace, playTrace(trace))];
  });
  const of = (kind: TraceKind) => sum(tallies.flatMap(([own, tally]) => (own === kind ? [tally] : [])));
  return {
    ...sum(tallies.map(([, tally]) => tally)),
    byKind: {
      flapping: of('flapping'),
      cascading: of('cascading'),
      bursty: of('bursty'),
      standing: of('standing'),
    },
  };
}

/** Compares what was said with what there was to say. */
export function tallyTrace({ episodes }: Pick<Trace, 'episodes'>, said: readonly Said[]): Tally {
  const raised = said.filter(({ message }) => message.event === 'raised');
  const incidents = [...new Map(raised.map(({ message }) => [message.episode, message])).values()];
  let explained = 0;
  let [missedRed, missedYellow, splitEpisodes] = [0, 0, 0];
  const delays: number[] = [];
  for (const { model, tier, from, to, causes = [healthCause] } of episodes) {
    // Yellow may begin before the red that it becomes; a page may follow the end of what it tells of.
    const isWithin = (time: number) => time >= from - 5 * minute && time <= to + 30 * minute;
    const isAbout = (message: EpisodeMessage) => message.model === model && causes.includes(message.cause);
    const own = incidents.filter((message) => isAbout(message) && isWithin(message.startedAt - traceStart));
    explained += own.length;
    if (own.length > 1) splitEpisodes++;
    if (tier === 'yellow' && own.length === 0) missedYellow++;
    if (tier !== 'red') continue;
    const page = raised.find(
      ({ message, at }) => isAbout(message) && message.tier === 'red' && at >= from && isWithin(at),
    );
    if (page) delays.push((page.at - from) / minute);
    else missedRed++;
  }
  return {
    traces: 1,
    episodes: episodes.length,
    redEpisodes: episodes.filter(({ tier }) => tier === 'red').length,
    incidents: incidents.length,
    missedRed,
    missedYellow,
    splitEpisodes,
    strayIncidents: incidents.length - explained,
    pages: raised.filter(({ message }) => message.tier === 'red').length,
    delays,
  };
}

function sum(tallies: readonly Tally[]): IncidentCount {
  const total = (of: (tally: Tally) => number) => tallies.reduce((all, tally) => all + of(tally), 0);
  const delays = tallies.flatMap((tally) => tally.delays).sort((a, b) => a - b);
  const [episodes, redEpisodes] = [total((one) => one.episodes), total((one) => one.redEpisodes)];
  const incidents = total((one) => one.incidents);
  return {
    traces: tallies.length,
    episodes,
    redEpisodes,
    incidents,
    incidentsPerEpisode: incidents / episodes,
    missedRed: total((one) => one.missedRed),
    missedYellow: total((one) => one.missedYellow),
    splitEpisodes: total((one) => one.splitEpisodes),
    strayIncidents: total((one) => one.strayIncidents),
    pagesPerRedEpisode: total((one) => one.pages) / redEpisodes,
    pageDelayMinutes99: delays[Math.floor(0.99 * delays.length)] ?? 0,
  };
}
