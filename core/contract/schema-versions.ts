/** Names of the formats written to storage; a reader refuses a number it does not know. */
export const schemaVersions = {
  config: 'tidewatch.config/1',
  fleet: 'tidewatch.fleet/1',
  baseline: 'tidewatch.baseline/1',
  layout: 'tidewatch.layout/1',
  fragment: 'tidewatch.fragment/1',
  profile: 'tidewatch.profile/1',
  verdict: 'tidewatch.verdict/1',
} as const;
