import type { Message } from '../model/delivery.ts';
import type { RollbackAct, RollbackLever, RollbackOutcome } from '../model/rollback.ts';
import { describeReason } from './rollback-reason.ts';

/** What people are told of a rollback: that it began, and how it ended. */
export type RollbackNews = 'started' | RollbackOutcome;

/** SNS refuses subjects of 100 characters and more. */
const maximumSubjectLength = 99;

interface Words {
  readonly event: Message['event'];
  readonly headline: string;
  readonly text: string;
}

/** Where a message belongs. */
export interface RollbackMessageFacts {
  readonly id: string;
  readonly time: number;
  /** Name of the alarm whose incident it is. */
  readonly alarm: string;
  /** Link to the article. */
  readonly runbook: string;
}

/**
 * News of a rollback are a row of messages of their own, beside those of the incident that it is for: whoever has
 * acknowledged that one is paged anew.
 */
export function rollbackEpisode(episode: string): string {
  return `${episode}/rollback`;
}

/**
 * Puts it into words. Nothing is said to be over: the incident ends when its alarm does, and what is told here are updates
 * of it, or pages that a person must act.
 */
export function composeRollbackMessage(
  act: RollbackAct,
  lever: RollbackLever,
  news: RollbackNews,
  { id, time, alarm, runbook }: RollbackMessageFacts,
): Message {
  const { event, headline, text } = wordsOf(news);
  const facts: readonly (readonly [name: string, value: string])[] = [
    ['Model', act.model],
    ['Lever', describeLever(lever)],
    ['From', describeConfig(lever, act.from)],
    ['To', describeConfig(lever, act.to)],
    ['Because of', `${act.finding} in ${act.verdict}`],
    ...(act.reason === undefined ? [] : [['Reason', describeReason(act.reason)] as const]),
    ['Runbook', runbook],
    ['Reference', `rollback ${act.id}, episode ${act.episode}`],
  ];
  const start = event === 'raised' ? 'RED' : 'ROLLBACK';
  return {
    id,
    tier: 'red',
    event,
    model: act.model,
    episode: rollbackEpisode(act.episode),
    subject: plain(`${start} ${act.model}: ${headline}`).slice(0, maximumSubjectLength),
    text: `${[text, '', ...facts.map(([name, value]) => `${name}: ${plain(value)}`)].join('\n')}\n`,
    time,
    detail: {
      cause: 'health',
      // Of one rollback there is one outcome, and the beginning comes before it.
      sequence: news === 'started' ? 1 : 2,
      since: act.time,
      startedAt: act.time,
      headline: plain(headline),
      alarm,
      runbook,
      findings: [],
      verdicts: [act.verdict],
      affected: [],
      mayFollow: [],
    },
  };
}

function wordsOf(news: RollbackNews): Words {
  switch (news) {
    case 'started':
      return {
        event: 'updated',
        headline: 'is being rolled back',
        text: 'The model is being rolled back to the configuration that answered before. Whether it recovers is told next.',
      };
    case 'dry-run':
      return {
        event: 'updated',
        headline: 'would be rolled back now (dry run)',
        text: 'Every check for a rollback has passed. Nothing was changed, because dryRun is set. Decide, and do it by hand.',
      };
    case 'recovered':
      return {
        event: 'updated',
        headline: 'has recovered, no longer red',
        text: 'The model was rolled back, and what was judged since is no longer red. Nothing has to be done at once.',
      };
    case 'not-recovered':
      return {
        event: 'raised',
        headline: 'was rolled back and is still red',
        text: 'The rollback is done and did not help within the time allowed. It is not repeated: a person must look.',
      };
    case 'withdrawn':
      return {
        event: 'updated',
        headline: 'rollback withdrawn before anything was done',
        text: 'A rollback was intended. When it was to begin its grounds no longer held, and nothing was changed.',
      };
    case 'refused':
      return {
        event: 'raised',
        headline: 'rollback refused by the service',
        text: 'The service did not take the rollback, and nothing was changed. A person must do it.',
      };
    case 'failed':
      return {
        event: 'raised',
        headline: 'rollback did not get through',
        text: 'The rollback was asked for and the configuration is not back. It is not repeated: a person must look.',
      };
    case 'overtaken':
      return {
        event: 'raised',
        headline: 'rollback overtaken by another change',
        text: 'Something else changed what answers while the rollback was under way. It is not repeated: a person must look.',
      };
  }
}

export function describeLever(lever: RollbackLever): string {
  switch (lever.kind) {
    case 'sagemaker-endpoint':
      return `SageMaker endpoint ${lever.endpoint}`;
    case 'sagemaker-weights':
      return `variant weights of SageMaker endpoint ${lever.endpoint}`;
    case 'lambda-alias':
      return `alias ${lever.alias} of function ${lever.functionName}`;
    case 'step-functions':
      return `workflow ${lever.stateMachine} for SageMaker endpoint ${lever.endpoint}`;
  }
}

/** A configuration as a person names it: weights are kept as `[endpoint configuration, [[variant, weight], …]]` in JSON. */
function describeConfig(lever: RollbackLever, config: string): string {
  const weights = lever.kind === 'sagemaker-weights' ? readWeights(config) : undefined;
  if (!weights) return config;
  const sum = weights.variants.reduce((total, [, weight]) => total + weight, 0);
  const shares = weights.variants.map(
    ([variant, weight]) => `${variant} ${sum > 0 ? Number(((100 * weight) / sum).toPrecision(3)) : 0} %`,
  );
  return [weights.config, ...(shares.length > 0 ? [shares.join(', ')] : [])].join(': ');
}

function readWeights(text: string) {
  try {
    const value: unknown = JSON.parse(text);
    const [config, variants]: unknown[] = Array.isArray(value) ? value : [];
    if (typeof config !== 'string' || !Array.isArray(variants)) return undefined;
    return variants.every(isWeight) ? { config, variants } : undefined;
  } catch {
    return undefined;
  }
}

function isWeight(value: unknown): value is readonly [variant: string, weight: number] {
  return Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'number';
}

/** Printable ASCII on one line: some of it was read from services. */
function plain(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, '?').slice(0, 1000);
}
