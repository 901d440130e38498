import { fleetAlarms, modelAlarms } from '../../core/contract/alarm-definitions.ts';
import type { AlarmDefinition } from '../../core/model/alarm.ts';
import { canonicalJson } from '../../core/model/canonical-json.ts';
import { quietTimes } from '../../core/pipeline/backtest/quiet-times.ts';
import { countTrials, isWithin, searchSettings, type WantedMessages } from '../../core/pipeline/backtest/suggest.ts';
import type { KnownIncident } from '../../core/pipeline/backtest/summarise.ts';
import { InputError } from '../command.ts';
import { importConfig, type LoadedConfig, prepareModels } from '../load-config.ts';
import type { Terminal } from '../terminal.ts';
import { ladders } from './ladders.ts';
import { alarmsWithoutData, type RecordedState, runnableAlarms } from './recorded-state.ts';
import { type Recording, type RejudgeOptions, readRecording, rejudgeState } from './replays.ts';
import { describeSide, outcomeOf, type Side, type Suggestion } from './report.ts';
import { applyChanges } from './settings.ts';

/** Judging anew with other settings, over one state folder. */
export class Tried {
  readonly #state: RecordedState;
  readonly #config: LoadedConfig;
  readonly #known: readonly KnownIncident[];
  readonly #definitions: readonly AlarmDefinition[];
  #recording: Recording | undefined;

  /** @param definitions the alarms at hand, as they can be run */
  constructor(
    state: RecordedState,
    config: LoadedConfig,
    known: readonly KnownIncident[],
    definitions: readonly AlarmDefinition[],
  ) {
    this.#state = state;
    this.#config = config;
    this.#known = known;
    this.#definitions = definitions;
  }

  async rejudge(
    file: string,
    config: LoadedConfig,
    definitions: readonly AlarmDefinition[],
    options: RejudgeOptions,
  ): Promise<Side> {
    const recording = await this.#readRecording();
    const replayed = await rejudgeState(this.#state, recording, config.runtimes, definitions, options);
    return describeSide(file, 'rejudged', replayed, this.#known, config.runtimes, this.#state);
  }

  /** Those at hand where the configuration has the same; else its own template's. */
  async alarmsOf(
    config: LoadedConfig,
    synthesise: () => Promise<{ readonly definitions: readonly AlarmDefinition[] }>,
  ): Promise<readonly AlarmDefinition[]> {
    if (canonicalJson(definedAlarms(config)) === canonicalJson(definedAlarms(this.#config))) return this.#definitions;
    const { definitions } = await synthesise();
    return runnableAlarms(definitions, alarmsWithoutData(definitions, this.#state.metricsOf(definitions)));
  }

  /** Those at hand, with the thresholds that a changed setting gives: no setting that is tried adds or takes one. */
  changedAlarms(config: LoadedConfig): readonly AlarmDefinition[] {
    const changed = new Map(definedAlarms(config).map((definition) => [definition.name, definition]));
    const before = new Map(definedAlarms(this.#config).map((one) => [one.name, canonicalJson(one)]));
    return this.#definitions.map((definition) => {
      const other = changed.get(definition.name);
      return other && canonicalJson(other) !== before.get(definition.name) ? other : definition;
    });
  }

  describe(file: string, replayed: Side['replayed'], config: LoadedConfig): Side {
    return describeSide(file, 'replayed', replayed, this.#known, config.runtimes, this.#state);
  }

  async #readRecording(): Promise<Recording> {
    if (this.#recording) return this.#recording;
    const recording = await readRecording(this.#state, this.#config.runtimes);
    if (recording.fragments.length === 0)
      throw new InputError(
        `${this.#state.root}: expected fragments to judge anew, saw none: they expire; give the captures with --captures`,
      );
    this.#recording = recording;
    return recording;
  }
}

function definedAlarms({ runtimes, fleet }: LoadedConfig): readonly AlarmDefinition[] {
  return [...runtimes.flatMap(({ policy }) => modelAlarms(policy, fleet)), ...fleetAlarms(fleet)];
}

/** Fast enough for a dozen trials, and fine enough to tell what is told of. */
const trialMinutes = 10;

/** Tries the settings that have a hand in what was told, for the wanted number of messages. */
export async function suggest(
  file: string,
  config: LoadedConfig,
  wanted: WantedMessages,
  current: Side,
  tried: Tried,
  terminal: Terminal,
): Promise<Suggestion> {
  const now = outcomeOf(current, current);
  const wants = { red: !isWithin(now, wanted, 'red'), yellow: !isWithin(now, wanted, 'yellow') };
  if (!wants.red && !wants.yellow) return { wanted, wants, tickMinutes: trialMinutes, trials: [], proposals: [] };
  const { value, folder } = await importConfig(file);
  const { messages, verdicts } = current.replayed;
  const found = ladders(wants, config, value, messages, verdicts);
  const progress = terminal.progress('trials');
  const isKnown = isJudgedUnder(current, config);
  const most = countTrials(found) + (isKnown ? 0 : 1);
  let count = 0;
  // All that is tried is milder than what is set: where nothing was found live, nothing is looked for again.
  let judged = verdicts;
  if (!isKnown) {
    const onProgress = (share: number) => progress.update(share / most, 'as it is set');
    const asSet = await tried.rejudge(file, config, tried.changedAlarms(config), {
      tickMinutes: trialMinutes,
      onProgress,
    });
    judged = asSet.replayed.verdicts;
    count++;
  }
  const isQuiet = quietTimes(judged, trialMinutes * 60_000);
  const trials = await searchSettings(found, wanted, async (changes) => {
    const changed = await prepareModels(applyChanges(value, changes), folder);
    const label = changes.map(({ setting, to }) => `${setting} = ${to}`).join(', ');
    const side = await tried.rejudge(file, changed, tried.changedAlarms(changed), {
      tickMinutes: trialMinutes,
      isQuiet,
      onProgress: (share) => progress.update((count + share) / most, label),
    });
    count++;
    return outcomeOf(side, current);
  });
  progress.done(`${trials.length} made, ${trials.filter(({ suffices }) => suffices).length} give what is wanted`);
  return { wanted, wants, tickMinutes: trialMinutes, trials, proposals: choose(trials) };
}

function isJudgedUnder({ replayed }: Side, { runtimes }: LoadedConfig): boolean {
  const known = new Set(runtimes.map(({ configHash, code }) => `${configHash} ${code}`));
  return replayed.verdicts.every(({ verdict: { evidence } }) => known.has(`${evidence.config} ${evidence.code}`));
}

/** Of each setting the mildest that suffices: halving finds it last. */
function choose(trials: Suggestion['trials']): Suggestion['proposals'] {
  const last = new Map<string, Suggestion['trials'][number]>();
  for (const trial of trials) {
    if (trial.suffices) last.set([trial.tier, ...trial.changes.map(({ setting }) => setting)].join(), trial);
  }
  const price = ({ outcome }: Suggestion['trials'][number]) => outcome.missed.length * 1_000 + outcome.lost.length;
  return [...last.values()].sort((a, b) => price(a) - price(b));
}
