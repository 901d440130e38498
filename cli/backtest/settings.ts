import { ConfigError, parseConfig } from '../../core/contract/config.ts';
import type { Message } from '../../core/model/delivery.ts';
import type { ModelPolicy } from '../../core/model/policy.ts';
import type { RecordedVerdict } from '../../core/pipeline/backtest/recorded-verdicts.ts';
import type { Ladder } from '../../core/pipeline/backtest/suggest.ts';
import type { LoadedConfig } from '../load-config.ts';

/** A changed setting, as it would stand in the configuration. */
export interface SettingChange {
  /** `models[0].drift.minimumEffect`. */
  readonly setting: string;
  readonly model?: string | undefined;
  readonly path: readonly (string | number)[];
  readonly from: number | string;
  readonly to: number | string;
}

/** Of a fleet, only the models with the most messages are tried: each costs a handful of replays. */
const maximumModels = 3;
const effectFactors = [1.5, 2.5, 5, 10, 20, 50, 100, 250];
const budgetShares = [0.5, 0.2, 0.1, 0.02];
/** Of the share of requests that may fail. */
const errorFactors = [1.5, 2, 3, 5, 10, 20, 50];
const silences = ['30m', '1h', '2h', '6h', '12h', '1d'];
const durationSeconds = new Map([
  ['30m', 1_800],
  ['1h', 3_600],
  ['2h', 7_200],
  ['6h', 21_600],
  ['12h', 43_200],
  ['1d', 86_400],
]);

/**
 * The settings that have a hand in the messages that came, each with values that are milder on people. Pages come from
 * objectives and silence; yellow from the smallest effect that matters and from the budget for false alarms.
 * @param wants which tiers there are too many messages of
 * @param raw the configuration as the file exports it
 */
export function ladders(
  wants: { readonly red: boolean; readonly yellow: boolean },
  { runtimes, fleet }: LoadedConfig,
  raw: unknown,
  messages: readonly Message[],
  verdicts: readonly RecordedVerdict[],
): readonly Ladder<SettingChange>[] {
  const found: Ladder<SettingChange>[] = [];
  const raised = messages.filter(({ event }) => event === 'raised');
  const of = (tier: 'yellow' | 'red') => raised.filter((message) => message.tier === tier);
  if (wants.red) {
    for (const model of busiest(of('red'))) {
      const index = runtimes.findIndex(({ policy }) => policy.name === model);
      const policy = runtimes[index]?.policy;
      if (policy) found.push(...pageLadders(policy, index, raw, of('red'), verdicts));
    }
  }
  if (wants.yellow) {
    for (const model of busiest(of('yellow'))) {
      const index = runtimes.findIndex(({ policy }) => policy.name === model);
      const policy = runtimes[index]?.policy;
      if (policy) found.push(effectLadder(policy, index));
    }
    const from = fleet.falseAlarms.yellowPerWeek;
    const path = ['fleet', 'falseAlarms', 'yellowPerWeek'];
    found.push(
      ladder(
        'yellow',
        path,
        from,
        budgetShares.map((share) => round(from * share)),
      ),
    );
  }
  return found
    .map((one) => ({ ...one, rungs: one.rungs.filter((change) => isAllowed(applyChanges(raw, [change]))) }))
    .filter(({ rungs }) => rungs.length > 0);
}

function isAllowed(raw: unknown): boolean {
  try {
    parseConfig(raw);
    return true;
  } catch (error) {
    if (error instanceof ConfigError) return false;
    throw error;
  }
}

function busiest(messages: readonly Message[]): readonly string[] {
  const counts = Map.groupBy(messages, ({ model }) => model);
  return [...counts]
    .sort(([, a], [, b]) => b.length - a.length)
    .slice(0, maximumModels)
    .map(([model]) => model);
}

function effectLadder({ name, drift }: ModelPolicy, index: number): Ladder<SettingChange> {
  const values = effectFactors.map((factor) => round(drift.minimumEffect * factor));
  return ladder('yellow', ['models', index, 'drift', 'minimumEffect'], drift.minimumEffect, values, name);
}

/** What the live verdict in force at a page says that it was about. */
function pageLadders(
  policy: ModelPolicy,
  index: number,
  raw: unknown,
  pages: readonly Message[],
  verdicts: readonly RecordedVerdict[],
): readonly Ladder<SettingChange>[] {
  const causes = new Set<string>();
  let isSilence = false;
  for (const { time, model } of pages) {
    if (model !== policy.name) continue;
    const live = verdicts.findLast((one) => one.verdict.model === model && !one.series && one.at <= time)?.verdict;
    for (const { name, broken } of live?.slos ?? []) if (broken) causes.add(name);
    isSilence ||= live?.findings.some(({ kind, tier }) => kind === 'silence' && tier === 'red') ?? false;
  }
  const listed = readAt(raw, ['models', index, 'slos']);
  const slos: readonly unknown[] = Array.isArray(listed) ? listed : [];
  const found = policy.slos.flatMap((slo) => {
    const at = slos.findIndex((one) => (readAt(one, ['name']) ?? readAt(one, ['kind'])) === slo.name);
    if (!causes.has(slo.name) || at < 0) return [];
    const values = errorFactors
      .map((factor) => round(1 - (1 - slo.objective) * factor))
      .filter((value) => value > 0 && value < 1);
    return [ladder('red', ['models', index, 'slos', at, 'objective'], slo.objective, values, policy.name)];
  });
  if (!isSilence) return found;
  const now = policy.silenceAfterSeconds ?? 600;
  const values = silences.filter((text) => (durationSeconds.get(text) ?? 0) > now);
  const from = policy.silenceAfterSeconds === undefined ? 'default' : `${policy.silenceAfterSeconds}s`;
  return [...found, ladder('red', ['models', index, 'silenceAfter'], from, values, policy.name)];
}

function ladder(
  tier: 'yellow' | 'red',
  path: SettingChange['path'],
  from: number | string,
  values: readonly (number | string)[],
  model?: string,
): Ladder<SettingChange> {
  const setting = path
    .map((part, at) => (typeof part === 'number' ? `[${part}]` : at === 0 ? part : `.${part}`))
    .join('');
  const named = model === undefined ? {} : { model };
  return { setting, tier, rungs: values.map((to) => ({ setting, ...named, path, from, to })) };
}

/** A copy of a configuration with some settings changed. */
export function applyChanges(raw: unknown, changes: readonly SettingChange[]): unknown {
  let changed = raw;
  for (const { path, to } of changes) changed = writeAt(changed, path, to);
  return changed;
}

function writeAt(value: unknown, [key, ...rest]: SettingChange['path'], to: unknown): unknown {
  if (key === undefined) return to;
  if (typeof key === 'number') {
    const items: readonly unknown[] = Array.isArray(value) ? value : [];
    return items.map((item, index) => (index === key ? writeAt(item, rest, to) : item));
  }
  const members = typeof value === 'object' && value !== null ? value : {};
  return { ...members, [key]: writeAt(readAt(value, [key]), rest, to) };
}

function readAt(value: unknown, [key, ...rest]: SettingChange['path']): unknown {
  if (key === undefined) return value;
  if (typeof value !== 'object' || value === null) return undefined;
  const member = Object.entries(value).find(([name]) => name === String(key))?.[1];
  return readAt(member, rest);
}

/** Without the traces of binary fractions. */
function round(value: number): number {
  return Number(value.toPrecision(6));
}
