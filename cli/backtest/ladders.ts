import { ConfigError, parseConfig } from '../../core/contract/config.ts';
import type { Message } from '../../core/model/delivery.ts';
import { featurePolicy, type ModelPolicy } from '../../core/model/policy.ts';
import type { Finding, FindingKind, SloVerdict, Verdict } from '../../core/model/verdict.ts';
import type { RecordedVerdict } from '../../core/pipeline/backtest/recorded-verdicts.ts';
import type { Ladder } from '../../core/pipeline/backtest/suggest.ts';
import type { LoadedConfig } from '../load-config.ts';
import { applyChanges, readAt, type SettingChange, type SettingPath, settingText } from './settings.ts';

/** Of a fleet, only the models with the most messages are tried: each costs a handful of replays. */
const maximumModels = 3;
/** Of a model, the features that drifted in the most of its messages. */
const maximumFeatures = 3;
const effectFactors = [1.5, 2.5, 5, 10, 20, 50, 100, 250];
/** Of the weekly budget of false alarms, and of a level in its place. */
const budgetShares = [0.5, 0.2, 0.1, 0.02];
/** Of a share of records that may be so: without a value, unseen, unreadable. */
const shareFactors = [1.5, 2, 3, 5, 10, 20, 50];
/** Of the share of requests or minutes that may fail. */
const errorFactors = [1.5, 2, 3, 5, 10, 20, 50];
/** Of the age at which the newest record is no longer fresh. */
const ageFactors = [1.5, 2, 3, 5, 10, 20];
const silences = [
  ['30m', 1_800],
  ['1h', 3_600],
  ['2h', 7_200],
  ['6h', 21_600],
  ['12h', 43_200],
  ['1d', 86_400],
] as const;

type Tier = 'yellow' | 'red';

/** What the messages of a model and tier were about, as the verdicts in force say. */
interface Causes {
  readonly kinds: ReadonlySet<FindingKind>;
  /** Of drift and its like, the most frequent first. */
  readonly features: readonly string[];
  /** Names of objectives. */
  readonly slos: ReadonlySet<string>;
}

/**
 * The settings that have a hand in the messages that came, each with values that are milder on people. What is tried
 * follows from what the verdicts found: see docs/backtest.md.
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
  for (const tier of ['red', 'yellow'] as const) {
    if (!wants[tier]) continue;
    const raised = messages.filter((message) => message.event === 'raised' && message.tier === tier);
    for (const model of busiest(
      raised.map((message) => message.model),
      maximumModels,
    )) {
      const index = runtimes.findIndex(({ policy }) => policy.name === model);
      const policy = runtimes[index]?.policy;
      if (!policy) continue;
      const causes = findCauses(
        raised.filter((message) => message.model === model),
        verdicts,
        tier,
      );
      found.push(...modelLadders(policy, index, raw, causes, tier));
    }
    if (tier === 'yellow') {
      const now = fleet.falseAlarms.yellowPerWeek;
      found.push(ladder(tier, ['fleet', 'falseAlarms', 'yellowPerWeek'], now, scaled(now, budgetShares)));
    }
  }
  return found
    .map((one) => ({ ...one, rungs: one.rungs.filter((change) => isAllowed(applyChanges(raw, [change]))) }))
    .filter(({ rungs }) => rungs.length > 0);
}

function modelLadders(
  policy: ModelPolicy,
  index: number,
  raw: unknown,
  { kinds, features, slos }: Causes,
  tier: Tier,
): readonly Ladder<SettingChange>[] {
  const { drift, name } = policy;
  const found: Ladder<SettingChange>[] = [];
  const offer = (path: SettingPath, from: number | string, values: readonly (number | string)[]) =>
    found.push(ladder(tier, ['models', index, ...path], from, values, name));
  const hasAny = (...wanted: readonly FindingKind[]) => wanted.some((kind) => kinds.has(kind));
  if (tier === 'yellow' && hasAny('drift', 'missing', 'unseen-category', 'beside')) {
    offer(['drift', 'minimumEffect'], drift.minimumEffect, scaled(drift.minimumEffect, effectFactors));
    for (const feature of features) {
      const now = featurePolicy(policy, feature).minimumEffect ?? drift.minimumEffect;
      offer(['features', feature, 'minimumEffect'], now, scaled(now, effectFactors));
    }
    // Where the level is given, the fleet's budget has no hand in it.
    const level = readAt(raw, ['models', index, 'drift', 'level']);
    if (typeof level === 'number') offer(['drift', 'level'], level, scaled(level, budgetShares));
  }
  if (tier === 'yellow' && hasAny('missing'))
    offer(['drift', 'minimumMissingRise'], drift.minimumMissingRise, scaled(drift.minimumMissingRise, shareFactors));
  if (tier === 'yellow' && hasAny('unseen-category'))
    offer(['drift', 'minimumUnseenRise'], drift.minimumUnseenRise, scaled(drift.minimumUnseenRise, shareFactors));
  if (hasAny('schema-break', 'quarantine')) {
    const now = drift.maximumQuarantineShare;
    offer(['drift', 'maximumQuarantineShare'], now, scaled(now, shareFactors));
  }
  const positions = positionsOf(raw, index);
  for (const [order, slo] of policy.slos.entries()) {
    const at = positions[order];
    if (!slos.has(slo.name) || at === undefined) continue;
    const errors = scaled(1 - slo.objective, errorFactors);
    offer(
      ['slos', at, 'objective'],
      slo.objective,
      errors.map((share) => round(1 - share)),
    );
    if (slo.kind === 'freshness') {
      const minutes = slo.thresholdSeconds / 60;
      offer(
        ['slos', at, 'threshold'],
        `${minutes}m`,
        ageFactors.map((factor) => `${Math.ceil(minutes * factor)}m`),
      );
    }
  }
  if (hasAny('silence')) {
    const now = policy.silenceAfterSeconds;
    const values = silences.filter(([, seconds]) => seconds > (now ?? 600)).map(([text]) => text);
    offer(['silenceAfter'], now === undefined ? 'default' : `${now / 60}m`, values);
  }
  return found;
}

/** What the verdicts that were in force at some messages say. */
function findCauses(messages: readonly Message[], verdicts: readonly RecordedVerdict[], tier: Tier): Causes {
  const kinds = new Set<FindingKind>();
  const features: string[] = [];
  const slos = new Set<string>();
  for (const message of messages) {
    for (const verdict of verdictsAt(verdicts, message)) {
      for (const { kind, feature } of findingsOf(verdict, tier)) {
        kinds.add(kind);
        if (feature !== undefined && kind === 'drift') features.push(feature);
      }
      for (const slo of verdict.slos) if (isCause(slo, tier)) slos.add(slo.name);
    }
  }
  return { kinds, features: busiest(features, maximumFeatures), slos };
}

function findingsOf({ findings }: Verdict, tier: Tier): readonly Finding[] {
  return findings.filter((finding) => finding.tier === tier);
}

function isCause({ broken, burning }: SloVerdict, tier: Tier): boolean {
  return tier === 'red' ? broken : burning?.tier === 'yellow';
}

/** The live verdict and the newest one of each series. */
function verdictsAt(verdicts: readonly RecordedVerdict[], { time, model }: Message): readonly Verdict[] {
  const inForce = new Map<string, Verdict>();
  for (const { at, series, verdict } of verdicts) {
    if (at > time) break;
    if (verdict.model === model) inForce.set(JSON.stringify(series ?? 'live'), verdict);
  }
  return [...inForce.values()];
}

/** Where the objectives of a policy stand in the configuration's list, which also has those of quality. */
function positionsOf(raw: unknown, index: number): readonly number[] {
  const listed = readAt(raw, ['models', index, 'slos']);
  const slos: readonly unknown[] = Array.isArray(listed) ? listed : [];
  return slos.flatMap((slo, at) => (readAt(slo, ['kind']) === 'quality' ? [] : [at]));
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

/** The most frequent, each once. */
function busiest(names: readonly string[], most: number): readonly string[] {
  const counts = Map.groupBy(names, (name) => name);
  return [...counts]
    .sort(([, a], [, b]) => b.length - a.length)
    .slice(0, most)
    .map(([name]) => name);
}

function ladder(
  tier: Tier,
  path: SettingPath,
  from: number | string,
  values: readonly (number | string)[],
  model?: string,
): Ladder<SettingChange> {
  const setting = settingText(path);
  const named = model === undefined ? {} : { model };
  const changed = values.filter((value) => value !== from);
  return { setting, tier, rungs: changed.map((to) => ({ setting, ...named, path, from, to })) };
}

function scaled(value: number, factors: readonly number[]): readonly number[] {
  return factors.map((factor) => round(value * factor));
}

/** Without the traces of binary fractions. */
function round(value: number): number {
  return Number(value.toPrecision(6));
}
