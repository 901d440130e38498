import { modelAlarmNames, runbookArticles } from '../contract/alarm-definitions.ts';
import { canonicalJson } from '../model/canonical-json.ts';
import { shortHash } from '../model/content-hash.ts';
import type { FleetPolicy, ModelPolicy } from '../model/policy.ts';
import type {
  DeploymentRecord,
  RollbackAct,
  RollbackHistory,
  RollbackOutcome,
  RollbackPolicy,
  ServingState,
} from '../model/rollback.ts';
import {
  decideRollback,
  decideTarget,
  type EvidencedVerdict,
  hasRecovered,
  pastActs,
  type RedIncident,
  type RollbackFacts,
  type RollbackRefusal,
} from '../rollback/decide-rollback.ts';
import { composeRollbackMessage, type RollbackNews } from '../rollback/rollback-message.ts';
import type { RollbackReason } from '../rollback/rollback-reason.ts';
import { putEvidenceEntry } from './evidence.ts';
import { readEvidencedVerdict } from './evidenced-verdict.ts';
import { readModelState } from './model-state.ts';
import type { Notifier, ServingControl } from './ports.ts';
import { readRedIncidents } from './red-incidents.ts';
import { creditDeployments, type RecordPorts, readProvenRecord, recordServing } from './rollback-record.ts';
import { evidenceRefusal, rollbackId } from './rollback-refusals.ts';
import { listSeries } from './series.ts';

export interface RollbackPorts extends RecordPorts {
  readonly control: ServingControl;
  readonly notifier: Notifier;
}

/** How a call left things. */
export interface RollbackReport {
  /** Undefined where a rollback goes on or has just ended. */
  readonly refusal?: RollbackRefusal | undefined;
  /** The rollback that goes on or ended in this call. */
  readonly act?: RollbackAct | undefined;
}

const partition = 'rollbacks';
/**
 * A call that was made is known to be over after this time: three times what a function may run. An endpoint's update takes
 * minutes, and is never begun and over within one run.
 */
export const takeoverSeconds = 180;
/** An update that has not come to its end by then is given up. A workflow may wait for a person meanwhile. */
const settleSeconds = 3600;
/** Times the service is asked at most. */
const maximumAttempts = 3;
/** Steps of one call: more than a rollback has phases, so that none waits for the next minute. */
const maximumSteps = 12;

/** What one step found. `done`: nothing more can be done now. */
type Step = { readonly done: RollbackReport } | { readonly done?: undefined };
const goOn: Step = {};

/**
 * Takes a model's rollback as far as it can be taken now. To be called whenever something rings and every minute: what rings
 * is never believed, all is read anew. Each step changes one row by compare-and-swap, so of two callers one goes on and the
 * other looks again; each phase leaves behind what the next caller needs to repeat it, finish it, or tell that it was done.
 * @param policy of a model with a rollback
 */
export async function stepRollback(
  policy: ModelPolicy,
  rollback: RollbackPolicy,
  fleet: FleetPolicy,
  ports: RollbackPorts,
): Promise<RollbackReport> {
  await creditDeployments(ports, policy, rollback);
  const run = new RollbackRun(policy, rollback, fleet, ports);
  for (let step = 0; step < maximumSteps; step++) {
    const { done } = await run.step();
    if (done) return done;
  }
  return {};
}

class RollbackRun {
  readonly #model: ModelPolicy;
  readonly #policy: RollbackPolicy;
  readonly #fleet: FleetPolicy;
  readonly #ports: RollbackPorts;
  #revision = 0;
  #history: RollbackHistory = { past: [] };

  constructor(model: ModelPolicy, policy: RollbackPolicy, fleet: FleetPolicy, ports: RollbackPorts) {
    this.#model = model;
    this.#policy = policy;
    this.#fleet = fleet;
    this.#ports = ports;
  }

  async step(): Promise<Step> {
    const serving = await this.#ports.control.describe(this.#policy.lever);
    await recordServing(this.#ports, this.#model.name, serving);
    const row = await this.#ports.table.get(partition, this.#model.name);
    this.#revision = row?.revision ?? 0;
    this.#history = row ? (row.value as RollbackHistory) : { past: [] };
    const act = this.#history.current;
    if (!act || act.phase === 'closed') return this.#begin(serving, act);
    switch (act.phase) {
      case 'intended':
        return this.#call(act, serving);
      case 'calling':
        return this.#resolve(act, serving);
      case 'started':
        return this.#awaitServing(act, serving);
      case 'serving':
        return this.#awaitRecovery(act, serving);
      case 'concluded':
        return this.#tell(act);
    }
  }

  /** Reserves a rollback where all checks pass. */
  async #begin(serving: ServingState, before: RollbackAct | undefined): Promise<Step> {
    const incidents = await readRedIncidents(this.#ports.table, this.#model.name);
    // Nearly every minute: nothing else is read.
    if (incidents.length === 0) return { done: { refusal: 'no-incident', act: before } };
    const facts = await this.#readFacts(serving, incidents);
    const decision = decideRollback(facts);
    if (decision.refusal) {
      // What was done in an incident is evidence of its own.
      if (decision.episode !== undefined) {
        await evidenceRefusal(this.#ports, this.#model.name, decision.episode, decision.refusal, serving.config);
      }
      return { done: { refusal: decision.refusal, act: before } };
    }
    const { episode, from, to, verdict, finding } = decision;
    const act: RollbackAct = {
      id: rollbackId(this.#model.name, episode),
      model: this.#model.name,
      episode,
      from,
      to,
      verdict,
      finding,
      dryRun: this.#policy.dryRun,
      time: facts.now,
      phase: 'intended',
      attempts: 0,
    };
    await this.#save(act, pastActs(this.#history));
    return goOn;
  }

  /** Asks the service. The intent is evidenced, the grounds are looked at once more, and the call is noted before it is made. */
  async #call(act: RollbackAct, serving: ServingState): Promise<Step> {
    await this.#evidence(act, 'intent', {});
    if (act.dryRun) return this.#conclude(act, 'dry-run');
    const now = this.#ports.clock.now();
    if (serving.status === 'changing' && now - act.time < settleSeconds * 1000) return { done: { act } };
    const incidents = await readRedIncidents(this.#ports.table, this.#model.name);
    const own = incidents.filter(({ episode }) => episode === act.episode);
    const decision = decideTarget(await this.#readFacts(serving, own));
    if (decision.refusal) return this.#conclude(act, 'withdrawn', decision.refusal);
    if (decision.from !== act.from || decision.to !== act.to) return this.#conclude(act, 'withdrawn', 'other-target');
    const calling: RollbackAct = {
      ...act,
      phase: 'calling',
      attempts: act.attempts + 1,
      revisionBefore: serving.revision,
      calledAt: now,
    };
    if (!(await this.#save(calling))) return goOn;
    const change = { id: act.id, model: act.model, from: serving, to: act.to };
    const result = await this.#ports.control.change(this.#policy.lever, change);
    return result === 'started' ? this.#noteStarted(calling) : this.#askAgain(calling);
  }

  /** Finds out whether a call that nobody came back from was made. */
  async #resolve(act: RollbackAct, serving: ServingState): Promise<Step> {
    if (serving.config === act.to || serving.pending === act.to) return this.#noteStarted(act);
    if (this.#since(act.calledAt) < takeoverSeconds) return { done: { act } };
    const isUntouched =
      serving.status === 'ready' && serving.config === act.from && serving.revision === act.revisionBefore;
    return isUntouched ? this.#askAgain(act) : this.#conclude(act, 'overtaken', 'changed-meanwhile');
  }

  async #askAgain(act: RollbackAct): Promise<Step> {
    if (act.attempts >= maximumAttempts) return this.#conclude(act, 'refused', 'attempts-used-up');
    await this.#save({ ...act, phase: 'intended' });
    // What refused it may need a minute.
    return { done: { act } };
  }

  async #noteStarted(act: RollbackAct): Promise<Step> {
    const { attempts, calledAt } = act;
    await this.#evidence(act, 'action', { attempts, calledAt });
    await this.#say(act, 'started', calledAt ?? act.time);
    await this.#save({ ...act, phase: 'started' });
    return goOn;
  }

  async #awaitServing(act: RollbackAct, serving: ServingState): Promise<Step> {
    const elapsed = this.#since(act.calledAt);
    if (serving.config === act.to && serving.status === 'ready') {
      await this.#save({ ...act, phase: 'serving', servingAt: this.#ports.clock.now() });
      return goOn;
    }
    if (serving.status === 'failed') return this.#conclude(act, 'failed', 'update-failed');
    // Right after the call the service may still describe what was before.
    if (elapsed < takeoverSeconds) return { done: { act } };
    const isOther = serving.status === 'ready' && serving.config !== act.from;
    if (isOther || (serving.pending !== undefined && serving.pending !== act.to)) {
      return this.#conclude(act, 'overtaken', 'changed-meanwhile');
    }
    const mayWait = serving.status === 'changing' || this.#policy.lever.kind === 'step-functions';
    if (mayWait && elapsed < settleSeconds) return { done: { act } };
    return this.#conclude(act, 'failed', mayWait ? 'update-takes-too-long' : 'update-given-up');
  }

  async #awaitRecovery(act: RollbackAct, serving: ServingState): Promise<Step> {
    const isOther = serving.config !== act.to || (serving.pending !== undefined && serving.pending !== act.to);
    if (isOther) return this.#conclude(act, 'overtaken', 'changed-meanwhile');
    if (hasRecovered(await this.#readVerdicts(), act.servingAt ?? act.time)) return this.#conclude(act, 'recovered');
    if (this.#since(act.servingAt) < this.#policy.recoverySeconds) return { done: { act } };
    return this.#conclude(act, 'not-recovered');
  }

  /** The outcome is settled first, then evidenced and told: two callers may not tell of two. */
  async #conclude(act: RollbackAct, outcome: RollbackOutcome, reason?: RollbackReason): Promise<Step> {
    const concludedAt = this.#ports.clock.now();
    await this.#save({ ...act, phase: 'concluded', outcome, reason, concludedAt });
    return goOn;
  }

  async #tell(act: RollbackAct): Promise<Step> {
    const { outcome = 'failed', reason, servingAt, concludedAt = act.time } = act;
    await this.#evidence(act, 'outcome', { outcome, reason, servingAt, concludedAt });
    await this.#say(act, outcome, concludedAt);
    const closed: RollbackAct = { ...act, phase: 'closed' };
    return (await this.#save(closed)) ? { done: { act: closed } } : goOn;
  }

  #since(time = 0): number {
    return (this.#ports.clock.now() - time) / 1000;
  }

  /** @returns false where another caller was first. */
  async #save(act: RollbackAct, past = this.#history.past): Promise<boolean> {
    const history: RollbackHistory = { current: act, past };
    const isFirst = await this.#ports.table.put(partition, this.#model.name, history, this.#revision);
    if (isFirst) this.#revision++;
    return isFirst;
  }

  /** Only what all callers of a phase know alike, so that all of them write the same bytes. */
  async #evidence(act: RollbackAct, step: string, facts: Readonly<Record<string, unknown>>): Promise<void> {
    const { id, model, episode, from, to, verdict, finding, dryRun, time } = act;
    const body = {
      step,
      id,
      model,
      episode,
      from,
      to,
      verdict,
      finding,
      dryRun,
      time,
      lever: this.#policy.lever,
      ...facts,
    };
    const name = `${id}\n${step}${facts.attempts === undefined ? '' : `\n${facts.attempts}`}`;
    await putEvidenceEntry(this.#ports.audit, model, time, 'rollback', name, body);
  }

  async #say(act: RollbackAct, news: RollbackNews, time: number): Promise<void> {
    const id = shortHash(canonicalJson(['rollback', act.id, news]));
    const runbook = `${this.#fleet.runbook}#${runbookArticles.rollback}`;
    const alarm = modelAlarmNames(act.model).red;
    const message = composeRollbackMessage(act, this.#policy.lever, news, { id, time, alarm, runbook });
    await this.#ports.notifier.deliver(message);
  }

  async #readFacts(serving: ServingState, incidents: readonly RedIncident[]): Promise<RollbackFacts> {
    const record: DeploymentRecord = await readProvenRecord(this.#ports, this.#model.name);
    const verdicts = await this.#readVerdicts();
    const now = this.#ports.clock.now();
    return {
      model: this.#model,
      policy: this.#policy,
      now,
      incidents,
      verdicts,
      serving,
      record,
      history: this.#history,
    };
  }

  /** The live verdict in force and the newest of each series. */
  async #readVerdicts(): Promise<readonly EvidencedVerdict[]> {
    const { table, clock } = this.#ports;
    const { live } = await readModelState(table, this.#model.name, clock.now());
    const series = await listSeries(table, this.#model.name);
    const keys = [live.key, ...series.map(({ newest }) => newest?.key)].filter((key) => key !== undefined);
    const verdicts = await Promise.all(
      [...new Set(keys)].map((key) => readEvidencedVerdict(this.#ports, this.#model.name, key)),
    );
    return verdicts.filter((verdict) => verdict !== undefined);
  }
}
