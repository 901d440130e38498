import type { AlarmDefinition, AlarmStateValue, AlarmTransition } from '../model/alarm.ts';
import { type AlarmRule, evaluateAlarmRule, parseAlarmRule, ruleAlarms } from './alarm-rule.ts';
import { evaluateMathAlarm, evaluateMetricAlarm, evaluationRange, type MetricReader } from './metric-alarm.ts';
import { parseMetricMath } from './metric-math.ts';
import { nextSuppression, type PendingTransition, type SuppressionState, unsuppressed } from './suppression.ts';

/** What is kept of an alarm between evaluations. Plain JSON. */
export interface AlarmState {
  readonly value: AlarmStateValue;
  /** Milliseconds since the epoch at which it took this value. */
  readonly since: number;
  readonly reason: string;
  /** Composites with a suppressor only. */
  readonly suppression?: SuppressionState | undefined;
}

export type AlarmStates = ReadonlyMap<string, AlarmState>;

/** Alarms with their rules read, children before the composites that need them. */
export interface AlarmPlan {
  readonly steps: readonly { readonly definition: AlarmDefinition; readonly rule?: AlarmRule | undefined }[];
}

/**
 * Puts alarms into the order of evaluation. Do it once where the same alarms are evaluated again and again.
 * @throws {Error} for two alarms of one name, a rule or suppressor that names an unknown alarm, or a cycle.
 * @throws {AlarmRuleError} for a rule, {MetricMathError} for metric math that can't be read.
 */
export function planAlarms(definitions: readonly AlarmDefinition[]): AlarmPlan {
  const byName = new Map<string, AlarmDefinition>();
  for (const definition of definitions) {
    if (byName.has(definition.name)) throw new Error(`alarms: expected unique names, saw "${definition.name}" twice`);
    byName.set(definition.name, definition);
  }
  const steps: { definition: AlarmDefinition; rule?: AlarmRule }[] = [];
  const placed = new Set<string>();
  const path = new Set<string>();
  const place = (definition: AlarmDefinition): void => {
    if (placed.has(definition.name)) return;
    if (path.has(definition.name))
      throw new Error(
        `alarms: expected no cycle, saw ${[...path, definition.name].map((name) => `"${name}"`).join(' -> ')}`,
      );
    path.add(definition.name);
    if (definition.type === 'math')
      for (const query of definition.queries) if ('expression' in query) parseMetricMath(query.expression);
    const rule = definition.type === 'composite' ? parseAlarmRule(definition.rule) : undefined;
    for (const name of dependencies(definition, rule)) {
      const child = byName.get(name);
      if (child === undefined)
        throw new Error(`alarms: expected "${definition.name}" to refer to defined alarms, saw "${name}"`);
      place(child);
    }
    path.delete(definition.name);
    placed.add(definition.name);
    steps.push(rule === undefined ? { definition } : { definition, rule });
  };
  for (const definition of definitions) place(definition);
  return { steps };
}

function dependencies(definition: AlarmDefinition, rule: AlarmRule | undefined): string[] {
  if (definition.type !== 'composite' || rule === undefined) return [];
  return [...ruleAlarms(rule), ...(definition.suppressor === undefined ? [] : [definition.suppressor.alarm])];
}

/**
 * Evaluates all alarms once, as CloudWatch does every minute. Pure: the caller keeps the states. A new alarm starts in
 * INSUFFICIENT_DATA.
 *
 * `transitions` are in order of evaluation. A change that a suppressor mutes is reported when it happens with
 * `actionsEnabled: false`; should its actions run later, the same change (with its own time) is reported once more with
 * `actionsEnabled: true`. Whoever sends messages acts on the enabled ones alone.
 *
 * @param alarms the definitions, or `planAlarms` of them
 * @param previous states by alarm name
 * @param now milliseconds since the epoch
 * @param options `recordedSince`: see `evaluateMetricAlarm`
 * @returns `states` is `previous` itself where nothing changed
 */
export function evaluateAlarms(
  alarms: AlarmPlan | readonly AlarmDefinition[],
  read: MetricReader,
  previous: AlarmStates,
  now: number,
  options: { readonly recordedSince?: number | undefined } = {},
): { readonly states: AlarmStates; readonly transitions: AlarmTransition[] } {
  const plan = 'steps' in alarms ? alarms : planAlarms(alarms);
  const changed = new Map<string, AlarmState>();
  const transitions: AlarmTransition[] = [];
  const current = (name: string) => changed.get(name) ?? previous.get(name);
  const stateOf = (name: string): AlarmStateValue => current(name)?.value ?? 'INSUFFICIENT_DATA';

  for (const { definition, rule } of plan.steps) {
    const known = previous.get(definition.name);
    const before = known ?? { value: 'INSUFFICIENT_DATA' as const, since: now, reason: 'not evaluated yet' };
    const evaluation =
      rule === undefined
        ? evaluateData(definition, read, before.value, now, options.recordedSince)
        : evaluateComposite(definition.name, rule, stateOf, (name) => current(name)?.since);
    const change =
      evaluation.value === before.value
        ? undefined
        : { from: before.value, to: evaluation.value, time: now, reason: evaluation.reason };

    const suppressor = definition.type === 'composite' ? definition.suppressor : undefined;
    if (suppressor === undefined) {
      if (change) {
        transitions.push(transitionOf(definition.name, change, true));
        changed.set(definition.name, { value: change.to, since: now, reason: change.reason });
      } else if (known === undefined) changed.set(definition.name, before);
      continue;
    }
    const suppression = before.suppression ?? unsuppressed;
    const next = nextSuppression(suppression, change, stateOf(suppressor.alarm), suppressor, now);
    if (change && next.act !== change) transitions.push(transitionOf(definition.name, change, false));
    if (next.act) transitions.push(transitionOf(definition.name, next.act, true));
    if (change || next.state !== suppression || known === undefined) {
      changed.set(definition.name, {
        ...(change ? { value: change.to, since: now, reason: change.reason } : before),
        suppression: next.state,
      });
    }
  }
  return { states: changed.size === 0 ? previous : new Map([...previous, ...changed]), transitions };
}

function evaluateData(
  definition: AlarmDefinition,
  read: MetricReader,
  previous: AlarmStateValue,
  now: number,
  recordedSince: number | undefined,
) {
  if (definition.type === 'composite') throw new Error(`alarms: expected a rule for "${definition.name}", saw none`);
  if (definition.type === 'math') return evaluateMathAlarm(definition, read, now, previous, recordedSince);
  const { from, to } = evaluationRange(definition, now);
  return evaluateMetricAlarm(definition, read(definition, from, to), now, previous, recordedSince);
}

function evaluateComposite(
  name: string,
  rule: AlarmRule,
  stateOf: (name: string) => AlarmStateValue,
  sinceOf: (name: string) => number | undefined,
): { value: AlarmStateValue; reason: string } {
  const holds = evaluateAlarmRule(rule, stateOf);
  const value = holds ? 'ALARM' : 'OK';
  // CloudWatch names the child whose change came last.
  let newest: { name: string; since: number } | undefined;
  for (const child of ruleAlarms(rule)) {
    const since = sinceOf(child);
    if (since !== undefined && (newest === undefined || since > newest.since)) newest = { name: child, since };
  }
  const reason =
    newest === undefined
      ? `the rule of ${name} ${holds ? 'holds' : 'does not hold'}`
      : `${newest.name} transitioned to ${stateOf(newest.name)} at ${new Date(newest.since).toISOString()}`;
  return { value, reason };
}

function transitionOf(alarm: string, change: PendingTransition, actionsEnabled: boolean): AlarmTransition {
  return { alarm, from: change.from, to: change.to, time: change.time, reason: change.reason, actionsEnabled };
}
