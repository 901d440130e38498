import { build } from 'esbuild';
import type { stepRollback } from '../../core/pipeline/rollback.ts';

/** The real code with one check dropped, or two steps in another order. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  /** Must stand in the file exactly once. */
  readonly from: string;
  readonly to: string;
  /** The scenario that catches it. */
  readonly scenario: string;
}

const rollback = 'core/pipeline/rollback.ts';
const decide = 'core/rollback/decide-rollback.ts';

export const mutants: readonly Mutant[] = [
  {
    name: 'overwrites what another run has written',
    file: rollback,
    from: 'this.#model.name, history, this.#revision)',
    to: 'this.#model.name, history, (await this.#ports.table.get(partition, this.#model.name))?.revision ?? 0)',
    scenario: 'nothing but itself',
  },
  {
    name: 'calls although another run was first',
    file: rollback,
    from: 'if (!(await this.#save(calling))) return goOn;',
    to: 'await this.#save(calling);',
    scenario: 'nothing but itself',
  },
  {
    name: 'calls before it notes that it will',
    file: rollback,
    from: `if (!(await this.#save(calling))) return goOn;
    const change = { id: act.id, model: act.model, from: serving, to: act.to };
    const result = await this.#ports.control.change(this.#policy.lever, change);`,
    to: `const change = { id: act.id, model: act.model, from: serving, to: act.to };
    const result = await this.#ports.control.change(this.#policy.lever, change);
    if (!(await this.#save(calling))) return goOn;`,
    scenario: 'nothing but itself',
  },
  {
    name: 'takes a call over while it may still be made',
    file: rollback,
    from: 'takeoverSeconds = 180;',
    to: 'takeoverSeconds = 0;',
    scenario: 'three executions at a time',
  },
  {
    name: 'does not look at the grounds once more before it calls',
    file: rollback,
    from: `if (decision.refusal) return this.#conclude(act, 'withdrawn', decision.refusal);
    if (decision.from !== act.from || decision.to !== act.to) return this.#conclude(act, 'withdrawn', 'other-target');`,
    to: '',
    scenario: 'a deployment at any time',
  },
  {
    name: 'leaves no evidence of the intent',
    file: rollback,
    from: "await this.#evidence(act, 'intent', {});",
    to: '',
    scenario: 'a deployment at any time',
  },
  {
    name: 'calls in a dry run',
    file: rollback,
    from: "if (act.dryRun) return this.#conclude(act, 'dry-run');",
    to: '',
    scenario: 'a dry run',
  },
  {
    name: 'believes a verdict without evidence',
    file: 'core/pipeline/evidenced-verdict.ts',
    from: 'return isEvidenced ? { key, verdict } : undefined;',
    to: 'return isEvidenced || place ? { key, verdict } : undefined;',
    scenario: 'a forged verdict',
  },
  {
    name: 'believes that a target is good without evidence',
    file: 'core/pipeline/rollback-record.ts',
    from: 'return isEvidenced ? standing : { ...standing, provenAt: undefined };',
    to: 'return standing;',
    scenario: 'a target whose good name is forged',
  },
  {
    name: 'goes back to what answered before, good or not',
    file: 'core/rollback/deployment-record.ts',
    from: 'standing?.provenAt !== undefined && config !== current',
    to: 'config !== current',
    scenario: 'a deployment at any time',
  },
  {
    name: 'acts on an old verdict',
    file: decide,
    from: 'grounds = grounds.filter((ground) => isFresh(ground, facts));',
    to: '',
    scenario: 'an old verdict',
  },
  {
    name: 'acts on a handful of events',
    file: decide,
    from: 'grounds = grounds.filter((ground) => countEvents(ground) >= policy.minimumRecords);',
    to: '',
    scenario: 'few events',
  },
  {
    name: 'does not ask which configuration was judged',
    file: decide,
    from: 'grounds = grounds.filter((ground) => isJudgementOf(ground, spell));',
    to: '',
    scenario: 'trouble from before the deployment',
  },
  {
    name: 'acts on silence',
    file: decide,
    from: "tier === 'red' && !notOfTheVersion.has(kind)",
    to: "tier === 'red'",
    scenario: 'silence',
  },
  {
    name: 'forgets the cooldown',
    file: decide,
    from: "if (isCooling) return { refusal: 'cooldown', episode };",
    to: '',
    scenario: 'a rollback two hours ago',
  },
  {
    name: 'forgets what it did in this episode',
    file: decide,
    from: '!acts.some((act) => act.episode === episode)',
    to: 'episode',
    scenario: 'a rollback earlier in the same incident',
  },
  {
    name: 'acts on the ground of another incident',
    file: decide,
    from: 'incidents.find(({ isOwn }) => isOwn(ground.finding))',
    to: 'incidents[0]',
    scenario: 'another incident beside one that another model explains',
  },
  {
    name: 'acts anew on the ground of an incident it was done with, in another',
    file: decide,
    from: 'incidents.find(({ isOwn }) => isOwn(ground.finding))',
    to: 'incidents[0]',
    scenario: 'another incident beside one in which a rollback was done',
  },
  {
    name: 'forgets that another model explains an incident',
    file: 'core/pipeline/red-incidents.ts',
    from: "state.red.told === 'raised' && state.red.muted === undefined",
    to: 'true',
    scenario: 'another incident beside one that another model explains',
  },
  {
    name: 'acts on freshness',
    file: decide,
    from: "kind !== 'slo' || ofTheVersion.has(evidence.sloKind)",
    to: 'true',
    scenario: 'freshness',
  },
  {
    name: 'does not look at the grounds once more, which an evaluator took back',
    file: rollback,
    from: `if (decision.refusal) return this.#conclude(act, 'withdrawn', decision.refusal);
    if (decision.from !== act.from || decision.to !== act.to) return this.#conclude(act, 'withdrawn', 'other-target');`,
    to: 'if (decision.from !== act.from && !decision.refusal) return { done: { act } };',
    scenario: 'evaluators that may find fault with what is deployed as well',
  },
  {
    name: 'credits a window twice',
    file: 'core/pipeline/rollback-record.ts',
    from: '.filter(({ end }) => end > record.creditedThrough)',
    to: '',
    scenario: 'an hour that is still to be credited',
  },
  {
    name: 'shifts weights to those of another endpoint configuration',
    file: 'core/rollback/deployment-record.ts',
    from: "lever.kind !== 'sagemaker-weights' || ",
    to: 'lever || ',
    scenario: 'weights',
  },
];

/** Bundles the code with the mutant's change and loads it. */
export async function loadMutant(mutant: Mutant): Promise<typeof stepRollback> {
  const root = `${import.meta.dirname}/../..`;
  let found = 0;
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [rollback],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    logLevel: 'error',
    plugins: [
      {
        name: 'mutant',
        setup: ({ onLoad }) => {
          onLoad({ filter: new RegExp(`/${mutant.file.replaceAll('.', '\\.')}$`) }, async ({ path }) => {
            const { readFile } = await import('node:fs/promises');
            const parts = (await readFile(path, 'utf8')).split(mutant.from);
            found = parts.length - 1;
            return { contents: parts.join(mutant.to), loader: 'ts' };
          });
        },
      },
    ],
  });
  if (found !== 1) throw new Error(`${mutant.name}: expected its line once in ${mutant.file}, saw it ${found} times`);
  const text = Buffer.from(outputFiles[0]?.contents ?? []).toString('base64');
  const loaded: { readonly stepRollback: typeof stepRollback } = await import(
    /* @vite-ignore */ `data:text/javascript;base64,${text}`
  );
  return loaded.stepRollback;
}
