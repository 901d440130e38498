import { matchVersion } from '../decode/match-version.ts';
import type { Baseline } from '../model/baseline.ts';
import { canonicalJson } from '../model/canonical-json.ts';
import { sha256 } from '../model/content-hash.ts';
import type { Layout } from '../model/layout.ts';
import { type FleetPolicy, featurePolicy, type ModelPolicy, type VersionPolicy } from '../model/policy.ts';
import type { Series } from '../model/profile.ts';
import { baselineHash, layoutId } from '../profile/build-baseline.ts';
import { isSameSeries } from './series.ts';

/** The layout segment of keys where a version has no baseline. */
export const noLayout = 'none';

/** A model's policy together with all that it names, loaded and checked once. */
export interface ModelRuntime {
  readonly policy: ModelPolicy;
  readonly fleet: FleetPolicy;
  /** SHA-256 of the policy's canonical JSON. */
  readonly configHash: string;
  /** What runs: the package's version and build. */
  readonly code: string;
  /** By the path that the policy names. */
  readonly baselines: ReadonlyMap<string, Baseline>;
  /** SHA-256 of every baseline in force, in the order of the versions: with `configHash` it says which version has which. */
  readonly baselineHashes: readonly string[];
  /** The version of records that name none. */
  readonly defaultVersion: string;
  /** Whether an entry of `policy.versions` speaks of this version: literally, or at all. */
  isConfigured(version: string, how: 'literally' | 'at all'): boolean;
  /** The entry of `policy.versions` a version is read by; the first where none matches. */
  versionPolicy(version: string): VersionPolicy;
  baselineOf(version: string): Baseline | undefined;
  /** The baseline's layout without the features that the config ignores. */
  layoutOf(version: string): Layout | undefined;
  seriesOf(variant: string, version: string): Series;
}

/** A baseline that is not what it claims to be. */
export class BaselineError extends Error {
  override readonly name = 'BaselineError';
}

/**
 * @param baselines by the path that `policy.versions[].baseline` names.
 * @throws {BaselineError} where a baseline is missing or its content doesn't match its SHA-256.
 */
export function createModelRuntime(
  policy: ModelPolicy,
  fleet: FleetPolicy,
  baselines: ReadonlyMap<string, Baseline>,
  code: string,
): ModelRuntime {
  const loaded = new Map<VersionPolicy, { baseline: Baseline; layout: Layout }>();
  for (const version of policy.versions) {
    if (!version.baseline) continue;
    const baseline = baselines.get(version.baseline.path);
    if (!baseline) throw new BaselineError(`${policy.name}: baseline ${version.baseline.path} is not loaded`);
    checkBaseline(`${policy.name}: baseline ${version.baseline.path}`, baseline, version.baseline.sha256);
    const ignored = new Set(policy.features.filter(([, feature]) => feature.ignore).map(([name]) => name));
    const features = baseline.layout.features.filter(([name]) => !ignored.has(name));
    checkKinds(policy, version.baseline.path, features);
    checkSlices(policy, version.baseline.path, baseline);
    loaded.set(version, { baseline, layout: { ...baseline.layout, features } });
  }
  const versionPolicy = (version: string) => {
    const found = matchVersion(policy.versions, version) ?? policy.versions[0];
    if (!found) throw new RangeError(`${policy.name}: expected at least one entry of versions`);
    return found;
  };
  const entry = (version: string) => loaded.get(versionPolicy(version));
  return {
    policy,
    fleet,
    configHash: sha256(canonicalJson(policy)),
    code,
    baselines: new Map([...loaded].map(([version, { baseline }]) => [version.baseline?.path ?? '', baseline])),
    baselineHashes: [...loaded.values()].map(({ baseline }) => baseline.sha256),
    defaultVersion: literalVersion(policy.versions[0]?.match ?? ''),
    isConfigured: (version, how) =>
      how === 'literally'
        ? policy.versions.some(({ match }) => match === version)
        : matchVersion(policy.versions, version) !== undefined,
    versionPolicy,
    baselineOf: (version) => entry(version)?.baseline,
    layoutOf: (version) => entry(version)?.layout,
    seriesOf: (variant, version) => ({
      model: policy.name,
      variant,
      version,
      layout: entry(version)?.baseline.layoutId ?? noLayout,
      windowSeconds: policy.windowSeconds,
    }),
  };
}

/**
 * The same model with the windows of another width: as those series need it that were begun before its window was
 * changed. All else, also the hash of the configuration, is that in force.
 */
export function withWindow(runtime: ModelRuntime, windowSeconds: number): ModelRuntime {
  if (windowSeconds === runtime.policy.windowSeconds) return runtime;
  return {
    ...runtime,
    policy: { ...runtime.policy, windowSeconds },
    seriesOf: (variant, version) => ({ ...runtime.seriesOf(variant, version), windowSeconds }),
  };
}

/** Whether new records of a variant and version are counted into this series. */
export function isInForce(runtime: ModelRuntime, series: Omit<Series, 'model'>): boolean {
  return isSameSeries(runtime.seriesOf(series.variant, series.version), series);
}

/** A version's name out of its pattern: `credit-v7` is its own, `credit-*` gives `credit`, `*` gives `default`. */
function literalVersion(match: string): string {
  return match.endsWith('*') ? match.slice(0, -1).replace(/[-_.]+$/, '') || 'default' : match || 'default';
}

/**
 * A feature's kind is decided when the baseline is made: the configuration can only be held to it.
 * @throws {BaselineError} where the two differ.
 */
function checkKinds(policy: ModelPolicy, path: string, features: Layout['features']): void {
  for (const [name, { kind }] of features) {
    if (kind !== 'embedding' || featurePolicy(policy, name).kind === 'embedding') continue;
    throw new BaselineError(
      `${policy.name}: baseline ${path} has vectors in ${name}, but the configuration does not say so; add features: { ${JSON.stringify(name)}: { kind: 'embedding' } }`,
    );
  }
  for (const [name, { kind }] of policy.features) {
    const counted = features.find(([feature]) => feature === name)?.[1].kind;
    if (kind === undefined || counted === undefined || counted === kind) continue;
    throw new BaselineError(
      `${policy.name}: feature ${name} is to be ${kind}, but baseline ${path} counts it as ${counted}; make the baseline with --${kind} ${name}`,
    );
  }
}

/**
 * A slice is compared with the same slice of the baseline: one whose column was not counted there would be judged never.
 * @throws {BaselineError} where the baseline knows no slice of a column
 */
function checkSlices(policy: ModelPolicy, path: string, { layout, slices }: Baseline): void {
  const counted = new Set(slices?.map(([name]) => name));
  const columns = new Set([...layout.features.map(([name]) => name), ...layout.leftOut]);
  for (const { column, name } of policy.slices ?? []) {
    const where = `${policy.name}: slice ${name}: baseline ${path}`;
    if (!columns.has(column)) throw new BaselineError(`${where} has no column ${column}`);
    const siblings = policy.slices?.filter((slice) => slice.column === column) ?? [];
    if (siblings.some((slice) => counted.has(slice.name))) continue;
    const flags = siblings.map((slice) => `--slice ${JSON.stringify(slice.name)}`).join(' ');
    throw new BaselineError(`${where} did not count it; make the baseline with ${flags}`);
  }
}

/** @throws {BaselineError} naming what was expected and seen. */
export function checkBaseline(where: string, baseline: Baseline, expected?: string): void {
  if (baseline.schema !== 'tidewatch.baseline/1') {
    throw new BaselineError(`${where}: expected schema tidewatch.baseline/1, saw ${JSON.stringify(baseline.schema)}`);
  }
  const actual = baselineHash(baseline);
  if (actual !== baseline.sha256) {
    throw new BaselineError(`${where}: content has SHA-256 ${actual}, but it names ${baseline.sha256}: it was changed`);
  }
  if (layoutId(baseline.layout) !== baseline.layoutId) {
    throw new BaselineError(`${where}: layoutId is not the hash of its layout: it was changed`);
  }
  if (expected !== undefined && expected !== actual) {
    throw new BaselineError(`${where}: has SHA-256 ${actual}, but the config pins ${expected}`);
  }
}
