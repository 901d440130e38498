import type { AlertDocument } from '../model/alert-document.ts';
import { cut } from './plain-text.ts';

/** What PagerDuty is asked to do. */
export type PagerAction = 'trigger' | 'acknowledge' | 'resolve';

const maximumSummary = 1024;
const maximumKey = 255;

/**
 * What a message means for a pager. A lowered incident stays open: it is not over, and one that was acknowledged would
 * not page where red returns. What it reaches is no reason to page anybody once more.
 */
export function pagerAction({ event }: Pick<AlertDocument, 'event'>): PagerAction | undefined {
  switch (event) {
    case 'raised':
      return 'trigger';
    case 'acknowledged':
      return 'acknowledge';
    case 'recovered':
      return 'resolve';
    default:
      return undefined;
  }
}

/** The same of all messages of an incident, of both tiers: from yellow to red it stays one. */
function dedupKey({ episode }: Pick<AlertDocument, 'episode'>): string {
  return `tidewatch/${episode}`.slice(0, maximumKey);
}

/**
 * The body of a PagerDuty Events API v2 request (`POST /v2/enqueue`).
 * @param routingKey the integration key: 32 characters
 */
export function pagerEvent(alert: AlertDocument, action: PagerAction, routingKey: string): object {
  const common = { routing_key: routingKey, event_action: action, dedup_key: dedupKey(alert) };
  if (action !== 'trigger') return common;
  const { detail } = alert;
  const [worst] = detail.findings;
  const time = new Date(detail.since);
  return {
    ...common,
    client: 'Tidewatch',
    payload: {
      summary: cut(alert.subject, maximumSummary),
      source: alert.model,
      severity: alert.tier === 'red' ? 'critical' : 'warning',
      ...(Number.isNaN(time.getTime()) ? {} : { timestamp: time.toISOString() }),
      component: alert.model,
      group: detail.cause,
      ...(worst && { class: worst.kind }),
      custom_details: {
        tier: alert.tier,
        episode: alert.episode,
        alarm: detail.alarm,
        headline: detail.headline,
        findings: detail.findings.map(({ tier, message }) => `${tier}: ${message}`),
        affected: detail.affected,
        may_follow: detail.mayFollow.slice(0, 100),
        verdicts: detail.verdicts,
        runbook: detail.runbook,
        text: cut(alert.text, 8_000),
      },
    },
    ...(isLink(detail.runbook) && { links: [{ href: detail.runbook, text: 'Runbook' }] }),
  };
}

/** A runbook may also be a path in a repository. */
export function isLink(text: string): boolean {
  return URL.parse(text)?.protocol === 'https:';
}
