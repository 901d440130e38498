/** A fault that the demo injects into the real data, always named as such. */
export interface Incident {
  readonly name: string;
  /** ISO 8601, half-open. */
  readonly from: string;
  readonly to: string;
  /** What was done to the data. */
  readonly what: string;
}

export const incidents = {
  kilometres: {
    name: 'kilometres',
    from: '2001-03-10T00:00:00Z',
    to: '2001-03-12T00:00:00Z',
    what: 'an upstream service sends distances in kilometres instead of miles',
  },
  nulls: {
    name: 'nulls',
    from: '2001-03-17T08:00:00Z',
    to: '2001-03-17T20:00:00Z',
    what: 'the airport look-up fails: `origin` arrives empty',
  },
  slow: {
    name: 'slow',
    from: '2001-03-24T09:00:00Z',
    to: '2001-03-24T15:00:00Z',
    what: 'most responses take 250 to 900 ms; the objective is 100 ms',
  },
} as const satisfies Record<string, Incident>;

export function isDuring(incident: Incident, time: number): boolean {
  return time >= Date.parse(incident.from) && time < Date.parse(incident.to);
}
