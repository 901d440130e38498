import type {
  DeploymentRecord,
  RollbackLever,
  ServingSpell,
  ServingStanding,
  ServingState,
} from '../model/rollback.ts';
import type { Tier } from '../model/verdict.ts';

export const emptyDeploymentRecord: DeploymentRecord = { spells: [], standings: [], creditedThrough: 0 };

const keptSpells = 50;
const keptVersions = 10;
/** That the configuration is still the same is noted this often. */
const noteMilliseconds = 5 * 60_000;
/** Not looked at for longer than this, it may have been another one meanwhile. */
const unseenMilliseconds = 15 * 60_000;

/**
 * Notes what answers now. A spell ends where another configuration is seen, where a change to one is under way (even
 * where it is then given up), and where nobody looked for a quarter of an hour.
 * @returns the same record where there is nothing to note
 */
export function observeServing(record: DeploymentRecord, serving: ServingState, now: number): DeploymentRecord {
  const last = record.spells.at(-1);
  if (serving.status !== 'ready') {
    const isOther = serving.status === 'failed' || (serving.pending !== undefined && serving.pending !== last?.config);
    return isOther && record.changing === undefined ? { ...record, changing: now } : record;
  }
  const goesOn = last?.config === serving.config && record.changing === undefined;
  if (last && goesOn && now - last.seen <= unseenMilliseconds) {
    if (now - last.seen < noteMilliseconds) return record;
    return { ...record, spells: [...record.spells.slice(0, -1), { ...last, seen: now }] };
  }
  const spell = { config: serving.config, began: record.changing ?? last?.seen ?? now, since: now, seen: now };
  return withStanding(
    { ...record, changing: undefined, spells: [...record.spells, spell].slice(-keptSpells) },
    serving.config,
    (standing) => standing,
  );
}

/** The configuration that answers all calls now, since when; undefined while that is unknown. */
export function currentSpell(record: DeploymentRecord): ServingSpell | undefined {
  return record.changing === undefined ? record.spells.at(-1) : undefined;
}

/** The spell that a stretch of time lies in whole, as far as it was looked at. */
export function spellOf(record: DeploymentRecord, start: number, end: number): ServingSpell | undefined {
  return record.spells.find((spell) => start >= spell.since && end <= spell.seen);
}

/** A window that was judged, of all series together. */
export interface JudgedStretch {
  readonly start: number;
  readonly end: number;
  /** The worst of its verdicts. */
  readonly tier: Tier;
  /** One of them is red for something that may be the fault of what answered. */
  readonly isBlamed: boolean;
  readonly counted: number;
  readonly versions: readonly string[];
}

/**
 * Credits a judged window to the configuration that answered during all of it. Green time adds up; one that blames it
 * begins it anew; one that is yellow, red for other reasons, or of too few records, says nothing.
 */
export function creditWindow(
  record: DeploymentRecord,
  window: JudgedStretch,
  minimumRecords: number,
): DeploymentRecord {
  const creditedThrough = Math.max(record.creditedThrough, window.end);
  const spell = spellOf(record, window.start, window.end);
  if (!spell) return { ...record, creditedThrough };
  return withStanding({ ...record, creditedThrough }, spell.config, (standing) => {
    const versions = [...new Set([...standing.versions, ...window.versions])].sort().slice(0, keptVersions);
    if (window.isBlamed) return { ...standing, versions, greenSeconds: 0, provenAt: undefined };
    const isGreen = window.tier === 'green' && window.counted >= minimumRecords;
    const greenSeconds = standing.greenSeconds + (isGreen ? (window.end - window.start) / 1000 : 0);
    return { ...standing, versions, greenSeconds };
  });
}

/** Takes the good name of what answers now: it is blamed. */
export function discreditCurrent(record: DeploymentRecord): DeploymentRecord {
  const config = record.spells.at(-1)?.config;
  const standing = record.standings.find((one) => one.config === config);
  if (!standing || (standing.greenSeconds === 0 && standing.provenAt === undefined)) return record;
  return withStanding(record, standing.config, (one) => ({ ...one, greenSeconds: 0, provenAt: undefined }));
}

/** Configurations that have been green for long enough and are not noted as known to be good yet. */
export function newlyProven(record: DeploymentRecord, provenSeconds: number): readonly ServingStanding[] {
  return record.standings.filter((one) => one.provenAt === undefined && one.greenSeconds >= provenSeconds);
}

export function markProven(record: DeploymentRecord, config: string, now: number): DeploymentRecord {
  return withStanding(record, config, (standing) => ({ ...standing, provenAt: now }));
}

/**
 * What can be gone back to from the current configuration, the one that answered last first: known to be good, and within
 * the reach of the lever.
 */
export function knownGoodConfigs(record: DeploymentRecord, lever: RollbackLever): readonly ServingStanding[] {
  const current = record.spells.at(-1)?.config;
  const order = [...new Set(record.spells.map(({ config }) => config).toReversed())];
  return order.flatMap((config) => {
    const standing = record.standings.find((one) => one.config === config);
    const isGood = standing?.provenAt !== undefined && config !== current;
    return standing && isGood && isWithinReach(lever, current, config) ? [standing] : [];
  });
}

/** Weights can only be shifted between the variants of one endpoint configuration. */
function isWithinReach(lever: RollbackLever, current: string | undefined, config: string): boolean {
  return lever.kind !== 'sagemaker-weights' || endpointConfigOf(current ?? '') === endpointConfigOf(config);
}

/** Weights are written as JSON, `[endpoint configuration, [[variant, weight], …]]`. */
function endpointConfigOf(config: string): unknown {
  try {
    const parsed: unknown = JSON.parse(config);
    return Array.isArray(parsed) ? parsed[0] : undefined;
  } catch {
    return undefined;
  }
}

/** Standings are kept of the configurations that spells are kept of. */
function withStanding(
  record: DeploymentRecord,
  config: string,
  change: (standing: ServingStanding) => ServingStanding,
): DeploymentRecord {
  const kept = new Set(record.spells.map((spell) => spell.config));
  const before = record.standings.find((one) => one.config === config) ?? { config, versions: [], greenSeconds: 0 };
  const others = record.standings.filter((one) => one.config !== config && kept.has(one.config));
  return { ...record, standings: [...others, change(before)] };
}
