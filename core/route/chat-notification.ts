import type { AlertDocument } from '../model/alert-document.ts';
import { formatMinute, formatSpan } from './figures.ts';
import { isLink } from './pager-event.ts';
import { cut } from './plain-text.ts';

const maximumTitle = 250;
const maximumDescription = 8_000;
const maximumNextStep = 250;

/**
 * A custom notification of Amazon Q Developer in chat applications, version 1.0. All messages of an incident are of one
 * thread. Other shapes are dropped without a word, so this is all that its topic gets.
 */
export function chatNotification(alert: AlertDocument): object {
  const { detail, tier, event, model } = alert;
  const findings = detail.findings.map(({ tier: own, message }) => `- ${own}: ${escapeMarkdown(message)}`);
  const affected = detail.affected.map((one) => {
    const lag = formatSpan(Math.abs(one.lagMilliseconds));
    return `- ${escapeMarkdown(one.model)}: ${one.tier}, ${lag} ${one.lagMilliseconds < 0 ? 'before' : 'after'} it`;
  });
  const lines = [
    `${escapeMarkdown(detail.headline)}, since ${formatMinute(detail.since)}`,
    ...(event === 'recovered' ? [] : findings),
    ...(affected.length > 0 ? ['Models that depend on it:', ...affected] : []),
  ];
  const runbook = `Runbook: ${isLink(detail.runbook) ? detail.runbook : escapeMarkdown(detail.runbook)}`;
  return {
    version: '1.0',
    source: 'custom',
    id: alert.id,
    content: {
      textType: 'client-markdown',
      title: cut(escapeMarkdown(alert.subject), maximumTitle),
      description: cut(lines.join('\n'), maximumDescription),
      nextSteps: event === 'recovered' ? [] : [cut(runbook, maximumNextStep)],
      keywords: [cut(escapeMarkdown(model), 50), tier, event],
    },
    metadata: {
      // What became of a rollback belongs to the thread of its incident.
      threadId: `tidewatch-${alert.episode.split('/', 1)[0]}`,
      summary: cut(escapeMarkdown(detail.headline), maximumTitle),
      eventType: `tidewatch-${event}`,
      relatedResources: detail.verdicts.slice(0, 3),
      additionalContext: { model, tier, episode: alert.episode, alarm: detail.alarm },
    },
  };
}

/** Text that is neither formatted, nor a link, nor a mention: characters with a meaning get a look-alike. */
function escapeMarkdown(text: string): string {
  return text
    .replace(/[<>*~`|\\[\]@]/g, (character) => lookAlikes.get(character) ?? ' ')
    .replace(/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, ' ')
    .replace(/^#/gm, '♯');
}

const lookAlikes: ReadonlyMap<string, string> = new Map([
  ['<', '‹'],
  ['>', '›'],
  ['*', '∗'],
  ['~', '∼'],
  ['`', "'"],
  ['|', '¦'],
  ['\\', '/'],
  ['[', '('],
  [']', ')'],
  ['@', '(at)'],
]);
