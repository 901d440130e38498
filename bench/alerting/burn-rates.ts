import { type Tier, tierValue } from '../../core/model/verdict.ts';
import { type EpisodeMessage, type EpisodeState, speak, stepEpisode } from '../../core/route/episode.ts';
import { alarmRate } from '../detection/alarm-rate.ts';
import { createRandomSource } from '../detection/random-source.ts';
import { objective, SimulatedService } from './simulated-service.ts';

/** Of a service at exactly its budget. */
export interface FalsePages {
  readonly requestsPerHour: number;
  readonly burst: number;
  readonly weeks: number;
  readonly pages: number;
  readonly pagesPerWeek: number;
  /** One-sided 95 % bound of the pages a week. */
  readonly pagesPerWeekUpper95: number;
  readonly ticketsPerWeek: number;
}

const minutesPerWeek = 10_080;
const warmUpMinutes = 3 * 1440;
/** Minutes after a failure at which a service that does not burn is judged: as traffic leaves the windows rates may rise. */
const looksAfterFailure: ReadonlySet<number> = new Set([0, 10, 30, 50]);

/**
 * Pages (red messages "raised") and tickets (yellow ones) of a service that is at exactly its budget all the time, so that
 * its true rate is below the threshold of each page in whatever window, and every page is false.
 */
export function measureFalsePages(requestsPerHour: number, burst: number, weeks: number, seed: string): FalsePages {
  const random = createRandomSource(`${seed} ${requestsPerHour} ${burst}`);
  const service = new SimulatedService(random, { requestsPerHour, burst });
  const people = new People();
  const pages = new Array<number>(weeks).fill(0);
  let tickets = 0;
  let inForce: Tier = 'green';
  let lastFailure = Number.NEGATIVE_INFINITY;
  for (let elapsed = 0; elapsed < warmUpMinutes + weeks * minutesPerWeek; elapsed++) {
    const { minute, failed } = service.step(1);
    if (failed) lastFailure = minute;
    if (elapsed < warmUpMinutes) continue;
    const isLooked = inForce !== 'green' || looksAfterFailure.has(minute - lastFailure);
    if (isLooked) inForce = service.judge(new Map([[objective.name, inForce]]))?.burning?.tier ?? 'green';
    for (const { event, tier } of people.hear(inForce, minute)) {
      if (event !== 'raised') continue;
      const week = Math.floor((elapsed - warmUpMinutes) / minutesPerWeek);
      if (tier === 'red') pages[week] = (pages[week] ?? 0) + 1;
      else tickets++;
    }
  }
  const { perModelWeek, upper95 } = alarmRate(pages, 1);
  return {
    requestsPerHour,
    burst,
    weeks,
    pages: pages.reduce((sum, count) => sum + count, 0),
    pagesPerWeek: perModelWeek,
    pagesPerWeekUpper95: upper95,
    ticketsPerWeek: tickets / weeks,
  };
}

/** Alarms that follow the tier at once, and the episodes that come of them. */
class People {
  #state: EpisodeState | undefined;
  #inForce: Tier = 'green';

  hear(inForce: Tier, minute: number): readonly EpisodeMessage[] {
    const now = minute * 60_000;
    const messages: EpisodeMessage[] = [];
    for (const tier of ['yellow', 'red'] as const) {
      const rang = tierValue[this.#inForce] >= tierValue[tier];
      const rings = tierValue[inForce] >= tierValue[tier];
      if (rang === rings) continue;
      const to = rings ? 'ALARM' : 'OK';
      const step = stepEpisode(this.#state, { model: 'service', cause: 'health', tier, to, time: now }, now);
      this.#state = step.state;
      messages.push(...step.messages);
    }
    this.#inForce = inForce;
    if (this.#state && this.#state.endedAt === undefined) {
      const step = speak(this.#state, now);
      this.#state = step.state;
      messages.push(...step.messages);
    }
    return messages;
  }
}

/** Minutes from the start of a burn to the first finding and to the page, medians; null: in half of the runs none. */
export function measureBurnDelay(requestsPerHour: number, burnRate: number, runs: number, seed: string) {
  const [tickets, pages]: [number[], number[]] = [[], []];
  for (let run = 0; run < runs; run++) {
    const random = createRandomSource(`${seed} ${run} ${requestsPerHour} ${burnRate}`);
    const service = new SimulatedService(random, { requestsPerHour, burst: 1 });
    for (let minute = 0; minute < warmUpMinutes; minute++) service.step(0.2);
    let [ticket, page] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let minute = 1; minute <= warmUpMinutes && page === Number.POSITIVE_INFINITY; minute++) {
      const { failed } = service.step(burnRate);
      if (!failed) continue;
      const tier = service.judge()?.burning?.tier;
      if (tier !== undefined) ticket = Math.min(ticket, minute);
      if (tier === 'red') page = minute;
    }
    tickets.push(ticket);
    pages.push(page);
  }
  const median = (minutes: number[]) => minutes.sort((a, b) => a - b)[Math.floor(minutes.length / 2)];
  const known = (minutes = Number.POSITIVE_INFINITY) => (Number.isFinite(minutes) ? minutes : null);
  return { requestsPerHour, burnRate, firstMinutes: known(median(tickets)), pageMinutes: known(median(pages)) };
}
