import { type Finding, type Verdict, worstTier } from '../model/verdict.ts';
import type { MessageTier } from './episode.ts';
import { sortFindings } from './judgement.ts';
import { escapeName } from './plain-text.ts';
import { tierPolicy } from './tier-policy.ts';

/** Something that is wrong now, in one tier: a cause that is red and yellow is found twice. */
export interface FoundCause {
  /** `objective:availability`, `silence`, `quality`, `drift`, `evidence` or `set-up`: see `causeOf`. */
  readonly cause: string;
  readonly tier: MessageTier;
  /** Whether the judgement of a minute finds it; else closed windows alone do, which change with the next window. */
  readonly isLive: boolean;
  /** When it began, milliseconds since the epoch; absent: not every one of its findings says so. */
  readonly began?: number | undefined;
}

/** Objectives of required features are one cause: a payload that lacks one often lacks others. */
const completeness = 'completeness';

/** What a finding is about: its class of `tierPolicy`, and of an objective which one. */
export function causeOf({ id, kind, evidence }: Pick<Finding, 'id' | 'kind' | 'evidence'>): string {
  const { about } = tierPolicy[kind];
  if (about !== 'objective') return about;
  return causeOfObjective(id.slice(kind.length + 1), kind === completeness ? kind : evidence.sloKind);
}

function causeOfObjective(name: string, kind: unknown): string {
  return `objective:${kind === completeness ? completeness : name}`;
}

/** What verdicts find wrong, the most urgent first. */
export function findCauses(verdicts: readonly Pick<Verdict, 'mode' | 'findings'>[]): readonly FoundCause[] {
  const live = new Set(verdicts.flatMap(({ mode, findings }) => (mode === 'live' ? findings : [])));
  const found = Map.groupBy(
    sortFindings(verdicts.flatMap(({ findings }) => findings)),
    (finding) => `${finding.tier} ${causeOf(finding)}`,
  );
  return [...found.values()].flatMap((findings) => {
    const [first] = findings;
    if (!first || first.tier === 'green') return [];
    const onsets = findings.map(({ evidence }) => Date.parse(String(evidence.onset)));
    const began = Math.max(...onsets);
    return [
      {
        cause: causeOf(first),
        tier: first.tier,
        isLive: findings.some((finding) => live.has(finding)),
        ...(!Number.isNaN(began) && { began }),
      },
    ];
  });
}

const causeWords: ReadonlyMap<string, string> = new Map([
  ['quality', 'data quality'],
  ['evidence', 'stored evidence'],
  ['lag', 'late judgement'],
]);

/** A cause in words: `objective availability`. */
export function describeCause(cause: string): string {
  return escapeName(causeWords.get(cause) ?? cause.replace(':', ' '));
}

/** A verdict as it would be if it held only those findings that belong to an incident, and no objective of the others. */
export function narrowVerdict(verdict: Verdict, isOwn: (finding: Finding) => boolean): Verdict {
  const findings = verdict.findings.filter((finding) => finding.tier === 'green' || isOwn(finding));
  if (findings.length === verdict.findings.length) return verdict;
  const own = new Set(findings.map(causeOf));
  const others = new Set(verdict.findings.map(causeOf).filter((cause) => !own.has(cause)));
  const slos = verdict.slos.filter(({ name, kind }) => !others.has(causeOfObjective(name, kind)));
  return { ...verdict, findings, slos, tier: worstTier(findings.map(({ tier }) => tier)) };
}
