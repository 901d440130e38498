import { type FeatureVerdict, type Finding, type Tier, tierValue, type Verdict, worstTier } from '../model/verdict.ts';

/** What is no test's doing: a second look at it costs nothing. */
const facts: ReadonlySet<Finding['kind']> = new Set([
  'type',
  'quarantine',
  'silence',
  'no-baseline',
  'unknown-version',
  'extra-column',
]);

/** Whatever of a feature has changed most: the whole of it is one family of tests. */
const drifts: ReadonlySet<Finding['kind']> = new Set(['drift', 'missing', 'unseen-category', 'missing-column']);

/** True where a finding of a late revision is worse than any earlier revision had it, and is no mere fact. */
export function needsSecondLook({ findings }: Verdict, earlier: readonly Verdict[]): boolean {
  const allowed = allowedBy(earlier);
  return findings.some((finding) => isWorse(finding, allowed(finding)));
}

/**
 * A late revision with findings that are worse than before, less what no level is left for: they stay no worse than any
 * earlier revision had them, or than a second look confirms. Those held back turn green and say so, and features that
 * drifted by them alone have not drifted.
 * @param confirmed the same window judged at the level of a second look; undefined: there is none
 */
export function holdBack(verdict: Verdict, earlier: readonly Verdict[], confirmed: Verdict | undefined): Verdict {
  const why = confirmed ? ' and not confirmed at the level of a second look' : ', for which no further look is paid';
  const judged = confirmed ? [...earlier, confirmed] : earlier;
  const allowed = allowedBy(judged);
  const hold = (finding: Finding): Finding => {
    const tier = allowed(finding);
    if (!isWorse(finding, tier)) return finding;
    return { ...finding, tier, message: `${finding.message}; seen only with late data${why}` };
  };
  const named = new Set(verdict.findings.map(subjectOf));
  // What explains another finding may itself be held back: then the other one speaks.
  const others = confirmed?.findings.filter((finding) => !named.has(subjectOf(finding))) ?? [];
  const findings = [...verdict.findings.map(hold), ...others];
  const drifted = new Set(
    judged.flatMap(({ features }) =>
      Object.entries(features).flatMap(([name, feature]) => (feature.drifted ? [name] : [])),
    ),
  );
  return {
    ...verdict,
    tier: worstTier(findings.map(({ tier }) => tier)),
    rule: { ...verdict.rule, ...(confirmed && { level: confirmed.rule.level }) },
    features: Object.fromEntries(
      Object.entries(verdict.features).map(([name, feature]) => [
        name,
        feature.drifted && !drifted.has(name) ? withoutDrift(feature) : feature,
      ]),
    ),
    findings,
  };
}

function allowedBy(judged: readonly Verdict[]): (finding: Finding) => Tier {
  const known = Map.groupBy(
    judged.flatMap(({ findings }) => findings),
    subjectOf,
  );
  return (finding) => worstTier(known.get(subjectOf(finding))?.map(({ tier }) => tier) ?? []);
}

function isWorse({ kind, tier }: Finding, allowed: Tier): boolean {
  return !facts.has(kind) && tierValue[tier] > tierValue[allowed];
}

/** What a finding is of: a feature has drifted or not, by whichever cause. */
function subjectOf({ id, kind, feature, slice }: Finding): string {
  return drifts.has(kind) && slice === undefined ? `drift:${feature}` : id;
}

function withoutDrift({ scales, ...feature }: FeatureVerdict): FeatureVerdict {
  return {
    ...feature,
    drifted: false,
    ...(scales && { scales: scales.map((scale) => ({ ...scale, drifted: false })) }),
  };
}
