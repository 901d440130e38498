import { MemoryStateTable } from '../../adapters/local/memory-state-table.ts';
import { parseConfig, sagemakerCapture } from '../../core/contract/config.ts';
import type { Message } from '../../core/model/delivery.ts';
import type { ModelPolicy } from '../../core/model/policy.ts';
import { type Finding, type FindingKind, type Tier, type Verdict, worstTier } from '../../core/model/verdict.ts';
import { readModelState, updateModelState } from '../../core/pipeline/model-state.ts';
import { acknowledgeIncident, type NotifyPorts, notifyOf, notifyOverdue } from '../../core/pipeline/notify.ts';
import { ReplayClock } from '../../core/pipeline/replay.ts';
import { beginSeries, listSeries, newestVerdicts, updateSeries, windowAt } from '../../core/pipeline/series.ts';
import { noRecords } from '../../core/profile/summarise.ts';
import { MemoryObjectStore } from './memory-object-store.ts';

export const [minute, hour, day] = [60_000, 3_600_000, 86_400_000] as const;
/** Worlds begin here. */
export const origin = Date.UTC(2001, 2, 1);

/** What is wrong with a model from a time to another, in milliseconds since the world began. */
export interface Trouble {
  readonly model?: string;
  readonly kind: FindingKind;
  readonly tier: 'yellow' | 'red';
  readonly from: number;
  readonly to: number;
  /** The objective, of kinds that are about one. */
  readonly name?: string;
  /** When it began, as its finding says; absent: it does not. */
  readonly onset?: number;
}

/** Kinds that the judgement of a minute finds; the others are found by closed windows. */
const liveKinds: ReadonlySet<FindingKind> = new Set(['slo', 'silence', 'quality', 'schema-break', 'integrity']);
const windowSeconds = 3600;
const graceSeconds = 600;
const judged = 660_000;

export interface SaidMessage extends Message {
  /** Milliseconds since the world began. */
  readonly at: number;
}

/** Models whose verdicts find what a list of troubles says, with alarms as CloudWatch has them, and what people hear of it. */
export class AlertedWorld {
  readonly said: SaidMessage[] = [];
  readonly policies: readonly ModelPolicy[];
  readonly clock = new ReplayClock();
  readonly ports: NotifyPorts;
  readonly #rings = new Set<string>();
  /** Rows of episodes that are written before a process dies; absent: it lives. */
  kill: number | undefined;
  /** Whether alarms that end are heard. */
  hearsEnds = true;

  constructor(graph: Readonly<Record<string, readonly string[]>> = { m: [] }) {
    const source = (endpoint: string) => sagemakerCapture({ bucket: 'captures', prefix: endpoint, endpoint });
    this.policies = parseConfig({
      models: Object.entries(graph).map(([name, dependsOn]) => ({
        name,
        dependsOn: [...dependsOn],
        source: source(name),
        grace: `${graceSeconds}s`,
        versions: [{ match: 'v1', schema: { columns: ['origin'], prediction: 'score' } }],
      })),
    }).models;
    const table = new MemoryStateTable();
    this.ports = {
      state: new MemoryObjectStore(),
      audit: new MemoryObjectStore(),
      table: {
        get: (...at) => table.get(...at),
        list: (...at) => table.list(...at),
        remove: (...at) => table.remove(...at),
        put: async (...row) => {
          if (row[0] === 'episodes' && this.kill !== undefined && this.kill-- === 0) throw new Error('killed');
          return table.put(...row);
        },
      },
      clock: this.clock,
      notifier: {
        deliver: async (message) => void this.said.push({ ...message, at: this.clock.now() - origin }),
      },
    };
  }

  /** Lives from one time to another, in steps; the alarms ring a step after what they ring for. */
  async live(troubles: readonly Trouble[], from: number, to: number, step = 5 * minute): Promise<void> {
    for (let at = from; at <= to; at += step) {
      this.clock.set(origin + at);
      for (const { name } of this.policies) {
        await this.#ring(name, at);
        await this.#judge(name, troubles, at, step);
      }
      await this.survive(() => notifyOverdue(this.policies, this.ports));
    }
  }

  /** A minute in which nothing is judged. */
  async overdue(): Promise<void> {
    await notifyOverdue(this.policies, this.ports);
  }

  async acknowledge(model = 'm'): Promise<boolean> {
    return await acknowledgeIncident(this.policies, this.ports, model);
  }

  /** What a process that may be killed does; it is called again in the next step. */
  async survive(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.kill === undefined) throw error;
      this.kill = undefined;
    }
  }

  async #judge(model: string, troubles: readonly Trouble[], at: number, step: number): Promise<void> {
    const own = troubles.filter((trouble) => (trouble.model ?? 'm') === model);
    const { table } = this.ports;
    const now = origin + at;
    const isLive = ({ kind }: Trouble) => liveKinds.has(kind);
    const live = verdictOf(
      model,
      'live',
      now - hour,
      own.filter((one) => isLive(one) && at >= one.from && at < one.to),
    );
    const state = await readModelState(table, model, now);
    const found = live.findings.map(({ id, tier }) => `${id} ${tier}`).join();
    if (state.live.found !== found) {
      const key = `live/${model}/${at}`;
      await this.#put(key, live);
      await updateModelState(table, model, now, (before) => ({
        ...before,
        live: { tier: live.tier, found, key, since: now },
      }));
    }
    const end = Math.floor((at - judged) / hour) * hour;
    if (end + judged <= at - step || end < 0) return;
    const closed = verdictOf(
      model,
      'closed',
      origin + end - hour,
      own.filter((one) => !isLive(one) && one.from < end && one.to > end - hour),
    );
    const key = `closed/${model}/${end}`;
    await this.#put(key, closed);
    const series = { model, variant: 'AllTraffic', version: 'v1', layout: 'none', windowSeconds };
    const window = windowAt(series, origin + end - hour);
    const newest = { key, windowStart: window.start, tier: closed.tier, captured: 100, quarantined: 0 };
    await updateSeries(table, series, (known) => ({
      ...(known ?? beginSeries(series, window)),
      newestWindow: window.start,
      judgedThrough: window.end,
      newest,
    }));
  }

  async #put(key: string, verdict: Verdict): Promise<void> {
    await this.ports.state.putOnce(key, new TextEncoder().encode(JSON.stringify(verdict)));
  }

  /** The composites: red, and yellow that keeps quiet under red. */
  async #ring(model: string, at: number): Promise<void> {
    const { table } = this.ports;
    const { live } = await readModelState(table, model, origin + at);
    const closed = newestVerdicts(await listSeries(table, model)).map(({ tier }) => tier);
    const tier: Tier = worstTier([live.tier, ...closed]);
    for (const name of ['red', 'yellow'] as const) {
      const key = `${model} ${name}`;
      if (this.#rings.has(key) === (tier === name)) continue;
      const to = this.#rings.delete(key) ? 'OK' : 'ALARM';
      if (to === 'ALARM') this.#rings.add(key);
      else if (!this.hearsEnds) continue;
      const alarm = `tidewatch/${model}/${name}`;
      const words = { alarm, description: '', runbook: `https://example.com/book#${name}`, reason: '' };
      const notice = { ...words, tier: name, model, cause: 'health', triggers: [`${name}-tier`], to } as const;
      await this.survive(() => notifyOf(this.policies, this.ports, { ...notice, time: origin + at }));
    }
  }
}

function verdictOf(
  model: string,
  mode: 'live' | 'closed',
  start: number,
  troubles: readonly Omit<Trouble, 'from' | 'to'>[],
): Verdict {
  const findings = troubles.map(({ kind, tier, name, onset }): Finding => {
    const evidence = onset === undefined ? {} : { onset: new Date(origin + onset).toISOString() };
    return { id: name === undefined ? kind : `${kind}:${name}`, kind, tier, message: `${kind} ${name}`, evidence };
  });
  return {
    schema: 'tidewatch.verdict/1',
    mode,
    model,
    variant: 'AllTraffic',
    version: 'v1',
    window: { start: new Date(start).toISOString(), end: new Date(start + hour).toISOString() },
    revision: 0,
    tier: worstTier(findings.map(({ tier }) => tier)),
    records: { ...noRecords, captured: 100, counted: 100 },
    rule: { level: 0.001, minimumEffect: 0.02, effectLevel: 0.001, calibration: 'none' },
    features: {},
    slos: [],
    quality: [],
    findings,
    evidence: { baseline: null, config: 'c', code: 'test', profiles: [] },
  };
}

/** `day+hours model tier event`, and the cause of later incidents. */
export function wordsOf(said: readonly SaidMessage[]): readonly string[] {
  return said.map(({ at, model, tier, event, detail }) => {
    const when = `${Math.floor(at / day)}d${Math.floor((at % day) / hour)}h`;
    return [when, model, tier, event, ...(detail.cause === 'health' ? [] : [detail.cause])].join(' ');
  });
}
