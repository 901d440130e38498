import type { AlarmDefinition, AlarmStateValue } from '../model/alarm.ts';
import type { EpisodeTransition, MessageTier } from './episode.ts';

/** Model name under which messages of fleet-wide alarms run. */
export const fleetModel = 'fleet';

/** Cause of the episodes that a model's yellow and red composites share. */
export const healthCause = 'health';

/** What route needs of a parsed CloudWatch alarm message. */
export interface AlarmReport {
  readonly alarm: string;
  readonly to: AlarmStateValue;
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly children: readonly { readonly alarm: string; readonly value: AlarmStateValue }[];
}

/** An alarm's state change together with what the definition knows of it. */
export interface AlarmNotice {
  readonly alarm: string;
  readonly description: string;
  readonly runbook: string;
  readonly tier: MessageTier;
  readonly model: string;
  /** `health` for a model's yellow and red alarms, which are one incident; else the alarm's last name part. */
  readonly cause: string;
  /** Last name parts of the metric alarms behind it: `red-tier`, `yellow-tier`, `lag`, `quarantine`, `heartbeat`. */
  readonly triggers: readonly string[];
  readonly to: AlarmStateValue;
  readonly reason: string;
  readonly time: number;
}

/**
 * Joins an alarm message with the definition of the alarm it names.
 * @throws {Error} where the two are of different alarms, or the alarm has no people.
 */
export function alarmNotice(definition: AlarmDefinition, report: AlarmReport): AlarmNotice {
  if (definition.name !== report.alarm)
    throw new Error(`alarm notice: expected a message of "${definition.name}", saw one of another alarm`);
  if (definition.audience === 'none')
    throw new Error(`alarm notice: expected an alarm with an audience, saw "${definition.name}"`);
  const children = report.children.filter((child) => child.value === 'ALARM').map((child) => lastPart(child.alarm));
  return {
    alarm: definition.name,
    description: definition.description,
    runbook: definition.runbook,
    tier: definition.audience,
    model: definition.model ?? fleetModel,
    cause: definition.model === undefined ? lastPart(definition.name) : healthCause,
    triggers: definition.type === 'composite' ? children : [lastPart(definition.name)],
    to: report.to,
    reason: report.reason,
    time: report.time,
  };
}

/** The episode transition a notice stands for. */
export function episodeTransition(notice: AlarmNotice): EpisodeTransition {
  return { model: notice.model, cause: notice.cause, tier: notice.tier, to: notice.to, time: notice.time };
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
