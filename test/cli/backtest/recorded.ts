import type { Message } from '../../../core/model/delivery.ts';
import type { SloVerdict, Verdict } from '../../../core/model/verdict.ts';
import { noRecords } from '../../../core/profile/summarise.ts';
import { alertDetail } from '../../route/alert-detail.ts';

/** A message that was raised. */
export function detailOf(of: Pick<Message, 'tier' | 'model' | 'time'>): Message {
  return { id: 'm', event: 'raised', episode: 'e', subject: '', text: '', detail: alertDetail, ...of };
}

/** A live verdict of model m. */
export function verdictOf(
  of: Pick<Verdict, 'findings'> & { readonly slos: readonly Pick<SloVerdict, 'name' | 'broken' | 'burning'>[] },
): Verdict {
  const slos = of.slos.map((slo): SloVerdict => ({ kind: 'latency', objective: 0.99, good: 1, valid: 2, ...slo }));
  return {
    schema: 'tidewatch.verdict/1',
    mode: 'live',
    model: 'm',
    variant: 'AllTraffic',
    version: 'v1',
    window: { start: '2001-03-10T00:00:00.000Z', end: '2001-03-10T01:00:00.000Z' },
    revision: 0,
    tier: 'red',
    records: noRecords,
    rule: { level: 0.001, minimumEffect: 0.02, effectLevel: 0.001, calibration: 'none' },
    features: {},
    quality: [],
    evidence: { baseline: null, config: 'c', code: 'test', profiles: [] },
    ...of,
    slos,
  };
}
