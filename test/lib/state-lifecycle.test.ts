import { describe, expect, test } from 'vitest';
import * as keys from '../../core/contract/keys.ts';
import { keptPrefixes, listExpiring } from '../../lib/state-lifecycle.ts';
import { resolveTemplate } from './resolve-template.ts';
import { resourcesOf, sampleConfig, statementsOf, synthesise } from './synthesise.ts';

const series = { model: 'credit', variant: 'main', version: 'v1', layout: '0123456789abcdef', windowSeconds: 3600 };
const [start, day, hash] = [Date.UTC(2001, 0, 1), '2001-01-01', '0123456789abcdef'];

/** A key of every kind. */
const samples = new Map<string, readonly string[]>([
  ['fragmentKey', [keys.fragmentKey(series, start, hash)]],
  ['profileKey', [keys.profileKey(series, start, hash)]],
  ['trailKey', [keys.trailKey(series, start)]],
  ['learnedKey', [keys.learnedKey(series, 24)]],
  ['verdictKey', [keys.verdictKey(series, start, 0)]],
  ['liveVerdictKey', [keys.liveVerdictKey(series, 0)]],
  ['runtimeKey', [keys.runtimeKey('credit', hash)]],
  ['quarantineKey', [keys.quarantineKey('credit', hash)]],
  ['emptyKey', [keys.emptyKey('credit', day, hash)]],
  ['slisKey', [keys.slisKey('credit', day, hash)]],
  ['joinPartKey', (['index', 'labels'] as const).map((side) => keys.joinPartKey(side, 'credit', day, hash))],
  [
    'joinPackKey',
    (['index', 'labels'] as const).flatMap((side) =>
      (['recent', 'packs'] as const).map((kept) => keys.joinPackKey(side, kept, 'credit', day, hash)),
    ),
  ],
  ['cohortKey', [keys.cohortKey('credit', { day, variant: 'main', version: 'v1' }, 0, hash)]],
  ['joinManifestKey', [keys.joinManifestKey('credit', hash)]],
  ['qualityKey', [keys.qualityKey('credit', hash)]],
  ['logSegmentKey', [keys.logSegmentKey(0)]],
]);
/** Parts of keys, and keys of the audit bucket, where everything is locked and kept. */
const others = ['windowKey', 'dayKey', 'seriesKey', 'bundleKey'];

const expiring = listExpiring(365, 90);
const all = [...expiring, ...keptPrefixes];

describe('what is written to the state bucket', () => {
  test('has a sample here', () => {
    const named = Object.keys(keys).filter((name) => /^(?!parse).*Key$/.test(name));
    expect(named.sort()).toEqual([...samples.keys(), ...others].sort());
  });

  test.each([...samples])('expires or is kept for a reason: %s', (_, written) => {
    for (const key of written) expect(all.filter(({ prefix }) => key.startsWith(prefix))).toHaveLength(1);
  });

  test('is all that is listed, each with its reason', () => {
    const written = [...samples.values()].flat();
    for (const { prefix, reason } of all) {
      expect([prefix, written.some((key) => key.startsWith(prefix))]).toEqual([prefix, true]);
      expect(reason.length).toBeGreaterThan(20);
    }
  });

  test('may be written by functions under these prefixes alone', () => {
    const templates = synthesise();
    const granted = statementsOf(templates)
      .filter(({ effect, actions }) => effect === 'Allow' && actions.includes('s3:PutObject'))
      .flatMap(({ owner, resources }) => {
        const template = templates.get(owner.stack);
        return template ? resources.map((one) => String(resolveTemplate(JSON.parse(one), template))) : [];
      })
      .flatMap((arn) => /:s3:::tidewatch-state-[^/]+\/(.+)\*$/.exec(arn)?.[1] ?? []);
    expect(granted.length).toBeGreaterThan(10);
    for (const prefix of granted)
      expect([prefix, all.some((one) => prefix.startsWith(one.prefix))]).toEqual([prefix, true]);
  });
});

interface Rule {
  readonly Prefix?: string;
  readonly ExpirationInDays?: number;
}

function rulesOf(fleet: typeof sampleConfig.fleet): ReadonlyMap<string, number> {
  const bucket = resourcesOf(
    synthesise({ ...sampleConfig, fleet: { ...sampleConfig.fleet, ...fleet } }),
    'AWS::S3::Bucket',
  ).find(({ id }) => id.includes('StateBucket'));
  const lifecycle = bucket?.properties.LifecycleConfiguration as { readonly Rules: readonly Rule[] } | undefined;
  return new Map(
    (lifecycle?.Rules ?? []).flatMap(({ Prefix, ExpirationInDays: days }) =>
      Prefix === undefined || days === undefined ? [] : [[Prefix, days] as const],
    ),
  );
}

test('rules are those of the list; profiles live as long as evidence is locked, and never shorter than trails', () => {
  const rules = rulesOf(sampleConfig.fleet);
  expect([...rules.keys()]).toEqual(expiring.map(({ prefix }) => prefix));
  expect(rules.get('profiles/')).toBe(365);
  expect(rulesOf({ retention: '1d' }).get('profiles/')).toBe(rules.get('trails/'));
  expect(rulesOf({ retention: '3650d' }).get('profiles/')).toBe(3650);
});

test('what labels are joined with lives as long as the longest horizon', () => {
  const daysOf = (horizonDays: number) =>
    listExpiring(365, horizonDays).find(({ prefix }) => prefix === 'index/packs/')?.days;
  expect(daysOf(731)).toBeGreaterThan(731 + 22);
  expect(daysOf(0)).toBeGreaterThan(22);
});
