import { parseAlarmMessage } from '../alarm/alarm-message.ts';
import { modelAlarmNames, runbookArticles, suppressionSeconds } from '../contract/alarm-definitions.ts';
import type { AlarmDefinition } from '../model/alarm.ts';
import type { ModelPolicy } from '../model/policy.ts';
import type { Finding, Verdict } from '../model/verdict.ts';
import { judgeAftermath } from '../route/aftermath.ts';
import { type AlarmNotice, alarmNotice, episodeTransition, healthCause } from '../route/alarm-notice.ts';
import { companyOf, DependencyGraph, mutedBy, type Standings } from '../route/cascade.ts';
import { amongCauses, type KnownCause, ringOf } from '../route/cause-owners.ts';
import { describeCause, narrowVerdict } from '../route/causes.ts';
import { composeMessage } from '../route/compose-message.ts';
import {
  acknowledge,
  alone,
  type Company,
  type EpisodeMessage,
  type EpisodeState,
  type EpisodeStep,
  isSettled,
  type MessageTier,
  reportAffected,
  speak,
  stepEpisode,
} from '../route/episode.ts';
import type { StoredVerdict } from '../route/judgement.ts';
import { isExplained } from '../route/tier-policy.ts';
import {
  belongsTo,
  followModel,
  keysInForce,
  listIncidents,
  type NamedEpisode,
  readCauses,
  readVerdicts,
} from './cause-ledger.ts';
import {
  createEpisodeRow,
  type EpisodeRow,
  episodeKey,
  episodePartition,
  type PendingMessage,
  readEpisodeRow,
} from './episode-rows.ts';
import { putEvidenceEntry } from './evidence.ts';
import { readModelState } from './model-state.ts';
import type { Clock, Notifier, ObjectStore, StateTable } from './ports.ts';
import { listSeries, newestVerdicts as newestOf } from './series.ts';

export interface NotifyPorts {
  readonly state: ObjectStore;
  readonly audit: ObjectStore;
  readonly table: StateTable;
  readonly notifier: Notifier;
  readonly clock: Clock;
}

type Move = { readonly notice: AlarmNotice; readonly speaking: AlarmNotice; readonly step: EpisodeStep };

const tiers = ['red', 'yellow'] as const;

/**
 * Takes an alarm's message and tells the people of its tier, where its episode asks for it. What is to be said is kept
 * with the episode before it is delivered, and taken off after: killed in between, the next minute delivers it, under the
 * same id.
 * @param text as CloudWatch puts it on an SNS topic.
 * @throws {AlarmMessageError} for a text that is no alarm message.
 */
export async function notifyOfAlarm(
  definitions: readonly AlarmDefinition[],
  policies: readonly ModelPolicy[],
  ports: NotifyPorts,
  text: string,
): Promise<void> {
  const report = parseAlarmMessage(text);
  const definition = definitions.find(({ name }) => name === report.alarm);
  if (!definition)
    throw new Error(`notify: expected a message of one of our alarms, saw "${report.alarm.slice(0, 255)}"`);
  await notifyOf(policies, ports, alarmNotice(definition, report));
}

/** As `notifyOfAlarm`, of a notice that did not come as CloudWatch's message. */
export async function notifyOf(
  policies: readonly ModelPolicy[],
  ports: NotifyPorts,
  notice: AlarmNotice,
): Promise<void> {
  const fleet = new Fleet(policies, ports);
  // An alarm is a doorbell: which incident has to tell of it, its verdicts say.
  if (notice.cause === healthCause) await fleet.watch(notice.model, (await listIncidents(ports.table)).episodes);
  await fleet.step(notice.model, notice.cause, (row, company) => ({
    notice: notice.to === 'ALARM' ? notice : (row?.notice ?? notice),
    speaking: notice,
    step: stepEpisode(row?.state, episodeTransition(notice), ports.clock.now(), company),
  }));
}

/**
 * A person takes on all incidents of a model that people were told of so far. One of a later cause asks for a person anew.
 * @returns false where it has none.
 */
export async function acknowledgeIncident(
  policies: readonly ModelPolicy[],
  ports: NotifyPorts,
  model: string,
): Promise<boolean> {
  const fleet = new Fleet(policies, ports);
  const known = new Set<string>();
  const { episodes } = await listIncidents(ports.table);
  for (const { incident } of episodes.filter((one) => one.model === model)) {
    await fleet.step(model, incident, (row) => {
      if (!row) return undefined;
      const step = acknowledge(row.state, ports.clock.now());
      if (step.messages.length > 0) known.add(incident);
      return { notice: row.notice, speaking: row.notice, step };
    });
  }
  return known.size > 0;
}

/**
 * Says what has become due: causes that begin or end beside an incident that goes on, recoveries after their hold, raises
 * that waited or were muted, dependents that an incident has reached, and what was not delivered. To be called every minute. One episode that fails does not hold up the others.
 * @throws {AggregateError} of what failed.
 */
export async function notifyOverdue(policies: readonly ModelPolicy[], ports: NotifyPorts): Promise<void> {
  const errors: unknown[] = [];
  const attempt = async (step: () => Promise<void>) => {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  };
  const { episodes, caused } = await listIncidents(ports.table);
  const due = episodes.filter(({ row }) => row.pending.length > 0 || !isSettled(row.state));
  for (const model of new Set([...due.map((one) => one.model), ...caused]))
    await attempt(() => new Fleet(policies, ports).watch(model, episodes));
  for (const { model, incident, row } of due) {
    await attempt(() =>
      new Fleet(policies, ports).step(
        model,
        incident,
        ({ notice, state } = row, company) =>
          notice && { notice, speaking: notice, step: speak(state, ports.clock.now(), company) },
      ),
    );
  }
  const fleet = new Fleet(policies, ports);
  for (const { name } of policies) {
    if (fleet.graph.dependentsOf(name).length === 0) continue;
    await attempt(() => fleet.report(name));
  }
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} episodes could not be told of`);
}

/** Episodes of all models, with what they mean for each other. */
class Fleet {
  readonly graph: DependencyGraph;
  readonly #policies: readonly ModelPolicy[];
  readonly #ports: NotifyPorts;

  constructor(policies: readonly ModelPolicy[], ports: NotifyPorts) {
    this.graph = new DependencyGraph(policies);
    this.#policies = policies;
    this.#ports = ports;
  }

  /** Compare-and-swap until it holds; then delivers. */
  async step(
    model: string,
    incident: string,
    next: (row: EpisodeRow | undefined, company: Company) => Move | undefined,
  ): Promise<void> {
    const { table } = this.#ports;
    const key = episodeKey(model, incident);
    for (;;) {
      const row = await table.get(episodePartition, key);
      const known = readEpisodeRow(row);
      if (known && known.pending.length > 0) {
        await this.#deliverPending(incident, known, row?.revision ?? 0);
        continue;
      }
      const company = await this.#companyOf(model, incident, known);
      const move = next(known, company);
      if (!move?.step.state || (move.step.state === known?.state && move.step.messages.length === 0)) return;
      const { notice, speaking, step } = move;
      const pending = step.messages.map((episode): PendingMessage => ({ episode, notice: speaking }));
      const value = createEpisodeRow({ state: move.step.state, notice, pending });
      const revision = row?.revision ?? 0;
      if (!(await table.put(episodePartition, key, value, revision))) continue;
      if (pending.length > 0) await this.#deliverPending(incident, value, revision + 1);
      return;
    }
  }

  /**
   * Lets the incidents of later causes ring as long as their causes are in force. Which incident a cause belongs to is kept
   * first: killed in between, the next minute finds an incident that does not ring as it should.
   */
  async watch(model: string, episodes: readonly NamedEpisode[]): Promise<void> {
    const policy = this.#policies.find(({ name }) => name === model);
    if (!policy) return;
    const own = episodes.filter((one) => one.model === model);
    const incidents = new Map(own.map(({ incident, row }) => [incident, row.state]));
    const known = await followModel(this.#ports, policy, incidents);
    const [template] = own;
    const later = new Set([...own.map(({ incident }) => incident), ...known.map(({ owner }) => owner)]);
    later.delete(healthCause);
    if (!template) return;
    for (const incident of later) {
      for (const tier of tiers) {
        await this.step(model, incident, (row, company) => {
          const now = this.#ports.clock.now();
          const ring = ringOf(known, incident, tier, row?.state, now);
          if (!ring) return undefined;
          const notice = laterNotice(template.row.notice, known, incident, tier, ring);
          const step = stepEpisode(row?.state, episodeTransition(notice), now, company);
          return { notice: ring.to === 'ALARM' ? notice : (row?.notice ?? notice), speaking: notice, step };
        });
      }
    }
  }

  /** Names to a root's people the dependents that its incidents have come to mute. */
  async report(model: string): Promise<void> {
    const standings = await this.#standings();
    for (const { model: of, incident, row: known } of (await listIncidents(this.#ports.table)).episodes) {
      if (of !== model || known.state.endedAt !== undefined) continue;
      await this.step(model, incident, (row) => {
        if (!row) return undefined;
        const { notice, state } = row;
        const step = reportAffected(state, mutedBy(this.graph, state, standings), this.#ports.clock.now());
        return { notice, speaking: notice, step };
      });
    }
  }

  /** Where this fails, the messages stay pending. Where someone else took them off meanwhile, they were delivered. */
  async #deliverPending(incident: string, row: EpisodeRow, revision: number): Promise<void> {
    for (const { episode, notice } of row.pending) await this.#deliver(notice, episode, incident);
    const key = episodeKey(row.state.model, incident);
    await this.#ports.table.put(episodePartition, key, createEpisodeRow({ ...row, pending: [] }), revision);
  }

  async #companyOf(model: string, incident: string, row: EpisodeRow | undefined): Promise<Company> {
    const policy = this.#policies.find(({ name }) => name === model);
    if (!policy) return alone;
    const known = await readCauses(this.#ports.table, model);
    const fleet = await this.#fleetOf(policy, row, belongsTo(known, incident));
    const others = new Map<string, EpisodeState>();
    for (const owner of new Set(known.map((one) => one.owner))) {
      if (owner === incident) continue;
      const other = await this.#ports.table.get(episodePartition, episodeKey(model, owner));
      const { state } = readEpisodeRow(other) ?? {};
      if (state) others.set(owner, state);
    }
    const company = amongCauses(fleet, known, incident, others, policy);
    if (incident === healthCause) return company;
    // As CloudWatch's alarm on yellow does, in case red follows.
    const wait = (tier: MessageTier) =>
      Math.max(company.waitSeconds(tier), tier === 'yellow' ? suppressionSeconds.wait : 0);
    return { ...company, waitSeconds: wait };
  }

  /** What models that it depends on, and reds that are over, mean for an incident. */
  async #fleetOf(
    policy: ModelPolicy,
    row: EpisodeRow | undefined,
    isOwn: (finding: Finding) => boolean,
  ): Promise<Company> {
    const { name } = policy;
    const hasRoots = this.graph.rootsOf(name).length > 0;
    const isConnected = hasRoots || this.graph.dependentsOf(name).length > 0;
    // What it finds is read only where something might explain it: a root, or a red of its own that it looks back at.
    const mayEcho =
      row !== undefined && (row.state.red?.inAlarm === false || row.state.past.some(([tier]) => tier === 'red'));
    if (!isConnected && !mayEcho) return alone;
    const inForce = hasRoots || mayEcho ? await verdictsInForce(this.#ports, policy) : [];
    const verdicts = inForce.map((verdict) => narrowVerdict(verdict, isOwn));
    const findings = verdicts.flatMap((verdict) => verdict.findings);
    const standings: Standings = isConnected ? await this.#standings() : new Map();
    const explained = (tier: MessageTier) => isExplained(findings, tier);
    return companyOf(this.graph, name, standings, this.#ports.clock.now(), explained, {
      isFound: (tier) => findings.some((finding) => finding.tier === tier),
      aftermathOf: (red) => judgeAftermath(verdicts, red),
    });
  }

  async #standings(): Promise<Standings> {
    const states = (await listIncidents(this.#ports.table)).episodes.map(({ row }) => row.state);
    return Map.groupBy(states, ({ model }) => model);
  }

  async #deliver(notice: AlarmNotice, episode: EpisodeMessage, incident: string): Promise<void> {
    const ports = this.#ports;
    const policy = this.#policies.find(({ name }) => name === episode.model);
    const all = policy ? await newestVerdicts(ports, policy.name) : [];
    const known = policy ? await readCauses(ports.table, policy.name) : [];
    const isOwn = belongsTo(known, incident);
    const own = all.map(({ key, verdict }) => ({ key, verdict: narrowVerdict(verdict, isOwn) }));
    // What is over is seen beside all that goes on; what is no longer found is told by what is.
    const isOwnFound = episode.event !== 'recovered' && own.some(({ verdict }) => verdict.tier !== 'green');
    const message = composeMessage({
      alarm: notice,
      verdicts: isOwnFound ? own : all,
      episode,
      policy,
      dependents: this.graph.dependentsOf(episode.model),
      besides: known.filter(({ owner, goneSince }) => owner !== incident && goneSince === undefined),
      now: ports.clock.now(),
    });
    const { id, tier, event, model, time } = episode;
    await putEvidenceEntry(ports.audit, model, time, 'alert', id, {
      id,
      tier,
      event,
      model,
      episode: episode.episode,
      time,
    });
    await ports.notifier.deliver(message);
  }
}

/** What a later incident's own alarm would say, were there one: CloudWatch's has rung since the first one. */
function laterNotice(
  template: AlarmNotice,
  known: readonly KnownCause[],
  incident: string,
  tier: MessageTier,
  ring: { readonly to: 'ALARM' | 'OK'; readonly time: number },
): AlarmNotice {
  const { model } = template;
  const causes = known.filter((one) => one.owner === incident && one.tier === tier);
  const isLate = causes.length > 0 && causes.every(({ cause }) => cause === 'lag');
  const [cause = incident] = causes.map((one) => one.cause);
  return {
    ...template,
    alarm: modelAlarmNames(model)[tier],
    description: `${model} was judged ${tier} for another cause while an incident went on`,
    runbook: `${template.runbook.split('#', 1)[0]}#${runbookArticles[isLate ? 'lag' : tier]}`,
    tier,
    cause,
    triggers: [isLate ? 'lag' : `${tier}-tier`],
    reason: `the verdict in force is ${tier}: ${causes.map((one) => describeCause(one.cause)).join(', ')}`,
    ...ring,
  };
}

async function verdictsInForce(ports: NotifyPorts, policy: ModelPolicy): Promise<readonly Verdict[]> {
  const { keys } = await keysInForce(ports, policy);
  return (await readVerdicts(ports.state, keys)).map(({ verdict }) => verdict);
}

/** The live verdict in force and the newest verdict of each series. Alarms are doorbells: what is said is read anew. */
async function newestVerdicts(ports: NotifyPorts, model: string): Promise<readonly StoredVerdict[]> {
  const states = await listSeries(ports.table, model);
  const { live } = await readModelState(ports.table, model, ports.clock.now());
  const keys = [...(live.key === undefined ? [] : [live.key]), ...newestOf(states).map(({ key }) => key)];
  return readVerdicts(ports.state, keys);
}
