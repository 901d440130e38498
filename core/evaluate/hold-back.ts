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

/**
 * A late revision that would raise the tier of its window, less what no level is left for: findings stay no worse than
 * they were before, or than a second look confirms. Those held back turn green and say so, and features that drifted
 * by them alone have not drifted.
 * @param confirmed the same window judged at the level of a second look; undefined: there is none
 */
export function holdBack(verdict: Verdict, before: Verdict, confirmed: Verdict | undefined): Verdict {
  const why = confirmed ? ' and not confirmed at the level of a second look' : ', for which no further look is paid';
  const known = [...before.findings, ...(confirmed?.findings ?? [])];
  const hold = (finding: Finding): Finding => {
    const same = known.flatMap(({ id, tier }): readonly Tier[] => (id === finding.id ? [tier] : []));
    const allowed = facts.has(finding.kind) ? finding.tier : worstTier(same);
    if (tierValue[finding.tier] <= tierValue[allowed]) return finding;
    return { ...finding, tier: allowed, message: `${finding.message}; seen only with late data${why}` };
  };
  const named = new Set(verdict.findings.map(({ id }) => id));
  // What explains another finding may itself be held back: then the other one speaks.
  const others = confirmed?.findings.filter(({ id }) => !named.has(id)) ?? [];
  const findings = [...verdict.findings.map(hold), ...others];
  const drifted = new Set(
    [before, confirmed].flatMap((judged) =>
      Object.entries(judged?.features ?? {}).flatMap(([name, feature]) => (feature.drifted ? [name] : [])),
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

function withoutDrift({ scales, ...feature }: FeatureVerdict): FeatureVerdict {
  return {
    ...feature,
    drifted: false,
    ...(scales && { scales: scales.map((scale) => ({ ...scale, drifted: false })) }),
  };
}
