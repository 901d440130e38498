import { parseConfig } from '../../core/contract/config.ts';
import type { Baseline } from '../../core/model/baseline.ts';
import type { ModelPolicy } from '../../core/model/policy.ts';
import type { Verdict } from '../../core/model/verdict.ts';
import { analyzeRecords } from '../../core/pipeline/analyze.ts';
import { createBaseline, EmptyBaselineError } from '../../core/pipeline/create-baseline.ts';
import { type Command, type CommandOptions, InputError, UsageError } from '../command.ts';
import { exitCode } from '../exit-code.ts';
import { describeCode } from '../load-config.ts';
import { isBaselineFile, readBaseline } from '../read-baseline.ts';
import { openRecords, readOutputKind } from '../read-records.ts';
import { printVerdict } from '../verdict-table.ts';

export const analyze: Command = {
  name: 'analyze',
  summary: 'one comparison, no state: what differs between two sets of records',
  description: [
    'Compares records with a baseline, feature by feature: PSI for the size of a change, exact and χ² tests for how sure it is, Benjamini–Hochberg over all features. A feature has drifted where both say so.',
    'The baseline may be a file of `baseline create`, or a CSV file that is made into one on the fly. The current records may be a CSV file, a capture object or a folder of them. With --json the verdict is printed alone; PSI and χ² can be recomputed from the bins in it.',
  ],
  options: {
    baseline: { type: 'string', value: 'PATH', help: 'baseline.json, or a CSV file with a header' },
    current: { type: 'string', value: 'PATH', help: 'CSV file, capture object, or folder of capture objects' },
    columns: {
      type: 'string',
      value: 'A,B,…',
      help: 'captures with headerless payloads: the names of the columns, in order',
    },
    prediction: { type: 'string', value: 'A,…', help: 'names of the outputs' },
    output: { type: 'string', value: 'KIND', help: 'what the outputs are: classes, probability or values' },
    embedding: {
      type: 'string',
      multiple: true,
      value: 'COLUMN',
      help: 'CSV baseline: compare the vectors in this column, JSON arrays of numbers',
    },
    level: { type: 'string', value: 'Q', help: 'false discovery rate, at most 0.1; default 0.01' },
    'minimum-effect': { type: 'string', value: 'PSI', help: 'smallest PSI that matters; default 0.02' },
  },
  examples: [
    'tidewatch analyze --baseline last-month.csv --current this-week.csv',
    'tidewatch analyze --baseline baseline.json --current ./captures --columns age,income --json',
  ],
  async run(options, terminal) {
    const policy = readPolicy(options);
    const [baselinePath, path] = [options.required('baseline'), options.required('current')];
    const { baseline, columns } = await loadBaseline(baselinePath, options);
    const embeddings = baseline.layout.features.flatMap(([name, { kind }]) => (kind === 'embedding' ? [name] : []));
    const files = await openRecords(path, {
      columns: options.names('columns') ?? columns,
      predictions: options.names('prediction') ?? [],
      embeddings,
      output: readOutputKind(options),
    });
    const verdict = await analyzeRecords(policy, baseline, files.open(), await describeCode());
    if (verdict.records.counted === 0) throw new InputError(`${path}: ${describeNothing(verdict)}`);
    terminal.printJson(verdict);
    if (!terminal.json) printVerdict(verdict, terminal);
    return verdict.tier === 'green' ? exitCode.green : exitCode.findings;
  },
};

/** A baseline, and where it comes from a CSV file that file's columns in order. */
async function loadBaseline(
  path: string,
  options: CommandOptions,
): Promise<{ baseline: Baseline; columns?: readonly string[] | undefined }> {
  if (await isBaselineFile(path)) return { baseline: await readBaseline(path) };
  const predictions = options.names('prediction') ?? [];
  const embeddings = options.list('embedding');
  const files = await openRecords(path, {
    columns: options.names('columns'),
    predictions,
    embeddings,
    output: readOutputKind(options),
  });
  const baseline = await createBaseline(
    { open: () => files.open() },
    {
      windowSeconds: undefined,
      choose: (column) => ({ kind: embeddings.includes(column) ? 'embedding' : undefined, ignore: false }),
    },
  ).catch((error) => {
    throw error instanceof EmptyBaselineError ? new InputError(`${path}: ${error.message}`, { cause: error }) : error;
  });
  return { baseline, columns: files.header?.filter((name) => !predictions.includes(name)) };
}

function describeNothing({ records, findings }: Verdict): string {
  if (records.captured === 0) return 'expected records, saw none';
  const why = findings.find(({ kind }) => kind === 'quarantine' || kind === 'type')?.message;
  return why ? `nothing to compare: ${why}` : `nothing to compare: none of ${records.captured} records could be read`;
}

/** The shipped defaults, at a level for a single look. */
function readPolicy(options: CommandOptions): ModelPolicy {
  const level = readNumber(options, 'level', 0.01, (value) => value > 0 && value <= 0.1, 'above 0 and at most 0.1');
  const minimumEffect = readNumber(
    options,
    'minimum-effect',
    0.02,
    (value) => value >= 0 && value <= 10,
    'from 0 to 10',
  );
  const { models } = parseConfig({
    models: [
      {
        name: 'analysis',
        source: { kind: 'sagemaker-capture', bucket: 'analysis', prefix: '', endpoint: 'analysis' },
        versions: [{ match: 'default', schema: {} }],
        drift: { level, minimumEffect },
      },
    ],
  });
  const [policy] = models;
  if (!policy) throw new Error('analysis: expected one model policy, saw none');
  return policy;
}

function readNumber(
  options: CommandOptions,
  name: string,
  otherwise: number,
  allows: (value: number) => boolean,
  allowed: string,
): number {
  const text = options.text(name);
  if (text === undefined) return otherwise;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!allows(value)) throw new UsageError(`--${name}: expected a number ${allowed}, saw ${JSON.stringify(text)}`);
  return value;
}
