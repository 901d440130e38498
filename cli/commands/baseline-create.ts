import { writeFile } from 'node:fs/promises';
import { parseDuration } from '../../core/contract/duration.ts';
import type { Baseline, BaselineFeature } from '../../core/model/baseline.ts';
import { canonicalJson } from '../../core/model/canonical-json.ts';
import { maximumSlices, type SlicePolicy, sliceOf } from '../../core/model/slice.ts';
import { createBaseline, EmptyBaselineError, type LabelOptions } from '../../core/pipeline/create-baseline.ts';
import type { ColumnChoice } from '../../core/profile/plan-layout.ts';
import { type Command, type CommandOptions, InputError, UsageError, wrap } from '../command.ts';
import { exitCode } from '../exit-code.ts';
import { makePrintable } from '../printable-text.ts';
import { openRecords, readOutputKind } from '../read-records.ts';
import type { Terminal } from '../terminal.ts';

export const baselineCreate: Command = {
  name: 'baseline create',
  summary: 'a baseline of normal behaviour from a CSV file or captures',
  description: [
    'Reads the records twice: once to see what each column is, once to count it. Numbers are counted in log-linear buckets around the median, texts by category. Columns that look like identifiers or free text are left out, with a note; --numeric, --categorical, --embedding and --ignore overrule what was inferred.',
    'Records with times (captures, or a CSV file with --time) are also counted per window and per hour of the week. The file is canonical JSON and carries its own SHA-256: name it in the configuration under versions[].baseline.',
    'With --label the baseline also learns what the scores mean: verdicts then estimate precision, recall and accuracy of records without labels.',
  ],
  options: {
    from: {
      type: 'string',
      value: 'PATH',
      help: 'CSV file with a header, capture object, or folder of capture objects',
    },
    out: { type: 'string', value: 'FILE', help: 'where the baseline goes' },
    time: {
      type: 'string',
      value: 'COLUMN',
      help: 'CSV: the column of times (ISO 8601, or milliseconds since the epoch)',
    },
    columns: {
      type: 'string',
      value: 'A,B,…',
      help: 'captures with CSV or array payloads: the names of the columns, in order',
    },
    prediction: { type: 'string', value: 'A,…', help: 'names of the outputs' },
    output: {
      type: 'string',
      value: 'KIND',
      help: 'what the outputs are: classes, probability or values; told from the values by default',
    },
    label: {
      type: 'string',
      value: 'COLUMN',
      help: 'the column that says how a record turned out: 0 or 1, or the name of its class',
    },
    positive: { type: 'string', value: 'TEXT', help: 'the label of a yes, where it is not 1 or true' },
    threshold: { type: 'string', value: 'SCORE', help: 'with --label: scores from here on are a yes; default 0.5' },
    slice: {
      type: 'string',
      multiple: true,
      value: 'COLUMN=VALUE',
      help: 'count these records by themselves as well: needed for `slices` in the configuration',
    },
    since: { type: 'string', value: 'TIME', help: 'leave out records before this time' },
    until: { type: 'string', value: 'TIME', help: 'leave out records from this time on' },
    window: { type: 'string', value: 'DURATION', help: 'width of the windows of later verdicts; default 1h' },
    numeric: { type: 'string', multiple: true, value: 'COLUMN', help: 'count this column as numbers' },
    categorical: { type: 'string', multiple: true, value: 'COLUMN', help: 'count this column as categories' },
    embedding: {
      type: 'string',
      multiple: true,
      value: 'COLUMN',
      help: 'compare the vectors in this column: lists of numbers, or JSON arrays in a CSV file',
    },
    caller: {
      type: 'string',
      value: 'COLUMN',
      help: 'the column, or field of the captures, that names the caller: large ones are told apart, by hash',
    },
    ignore: { type: 'string', multiple: true, value: 'COLUMN', help: 'leave this column out' },
  },
  examples: [
    'tidewatch baseline create --from training.csv --out baseline.json',
    'tidewatch baseline create --from ./captures --columns age,income --prediction score --out baseline.json',
  ],
  async run(options, terminal) {
    const out = options.required('out');
    const baseline = await readAndCreate(options, terminal);
    checkChoices(options, baseline);
    checkCaller(baseline);
    await writeFile(out, `${canonicalJson(baseline)}\n`);
    report(baseline, out, terminal);
    return exitCode.green;
  },
};

async function readAndCreate(options: CommandOptions, terminal: Terminal): Promise<Baseline> {
  const path = options.required('from');
  const files = await openRecords(path, {
    timeColumn: options.text('time'),
    columns: options.names('columns'),
    predictions: options.names('prediction') ?? [],
    embeddings: options.list('embedding'),
    caller: options.text('caller'),
    output: readOutputKind(options),
  });
  const from = readTime(options, 'since');
  const to = readTime(options, 'until');
  if (!files.timed && (from !== undefined || to !== undefined)) {
    throw new UsageError('--since and --until need records with times: name the column with --time');
  }
  const progress = terminal.progress('baseline');
  let bytes = 0;
  const onRead = (read: number) => {
    bytes += read;
    // Read twice: once to see what the columns are, once to count them.
    const share = bytes / (2 * files.bytes);
    progress.update(share, share <= 0.5 ? 'looking at the columns' : 'counting');
  };
  const baseline = await createBaseline(
    { from, to, open: () => files.open(onRead) },
    {
      windowSeconds: files.timed ? readWindow(options) : undefined,
      choose: readChoices(options),
      caller: options.text('caller'),
      labels: readLabels(options),
      slices: readSlices(options),
    },
  ).catch((error) => {
    if (!(error instanceof EmptyBaselineError)) throw error;
    const between = from === undefined && to === undefined ? '' : ' in the time asked for';
    throw new InputError(`${path}: ${error.message}${between}`, { cause: error });
  });
  progress.done(`${baseline.records} records`);
  return baseline;
}

function readLabels(options: CommandOptions): LabelOptions | undefined {
  const column = options.text('label');
  const [positive, threshold] = [options.text('positive'), options.text('threshold')];
  if (column === undefined) {
    if (positive === undefined && threshold === undefined) return undefined;
    throw new UsageError('--positive and --threshold say how labels are read: name their column with --label');
  }
  if (threshold !== undefined && (threshold.trim() === '' || !Number.isFinite(Number(threshold)))) {
    throw new UsageError(`--threshold: expected a number, saw ${JSON.stringify(threshold)}`);
  }
  return { column, positive, threshold: threshold === undefined ? undefined : Number(threshold) };
}

function readSlices(options: CommandOptions): readonly SlicePolicy[] {
  const slices = new Map<string, SlicePolicy>();
  for (const text of options.list('slice')) {
    const at = text.indexOf('=');
    if (at < 1 || at === text.length - 1) {
      throw new UsageError(`--slice: expected COLUMN=VALUE, saw ${JSON.stringify(text)}`);
    }
    const slice = sliceOf(text.slice(0, at), text.slice(at + 1));
    slices.set(slice.name, slice);
  }
  if (slices.size > maximumSlices) {
    throw new UsageError(`--slice: expected at most ${maximumSlices} slices, saw ${slices.size}`);
  }
  return [...slices.values()];
}

function readWindow(options: CommandOptions): number {
  const text = options.text('window') ?? '1h';
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined || milliseconds < 60_000 || 86_400_000 % milliseconds !== 0) {
    throw new UsageError(
      `--window: expected a duration of whole minutes that divides a day, as 1h, saw ${JSON.stringify(text)}`,
    );
  }
  return milliseconds / 1000;
}

function readTime(options: CommandOptions, name: string): number | undefined {
  const text = options.text(name);
  if (text === undefined) return undefined;
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new UsageError(`--${name}: expected an ISO 8601 time, saw ${JSON.stringify(text)}`);
  return time;
}

function readChoices(options: CommandOptions): (column: string) => ColumnChoice {
  const ignored = options.list('ignore');
  const asked = new Map<string, NonNullable<ColumnChoice['kind']>>();
  for (const kind of kinds) {
    for (const column of options.list(kind)) {
      const before = asked.get(column);
      if (before !== undefined && before !== kind)
        throw new InputError(`column ${JSON.stringify(column)} is asked for as ${before} and as ${kind}`);
      asked.set(column, kind);
    }
  }
  return (column) => ({ kind: asked.get(column), ignore: ignored.includes(column) });
}

const kinds = ['numeric', 'categorical', 'embedding'] as const;

/** @throws {UsageError} where no record names a caller: most likely a slip of the pen, too. */
function checkCaller({ callers }: Baseline): void {
  if (callers?.named !== 0) return;
  throw new UsageError(`--caller: no record names a caller in ${JSON.stringify(callers.column)}`);
}

/** Lines of features and of notes shown. */
const maximumRows = 60;

/** @throws {UsageError} for a column that no record has: most likely a slip of the pen. */
function checkChoices(options: CommandOptions, { layout }: Baseline): void {
  const known = new Set([...layout.features.map(([name]) => name), ...layout.leftOut]);
  for (const name of [...kinds, 'ignore', 'label', 'slice']) {
    const unknown = columnsOf(options, name).find((column) => !known.has(column));
    if (unknown === undefined) continue;
    const columns = [...known].slice(0, 20).map((column) => JSON.stringify(column));
    const more = known.size > columns.length ? ` and ${known.size - columns.length} more` : '';
    throw new UsageError(
      `--${name}: there is no column ${JSON.stringify(unknown)}; the records have ${columns.join(', ')}${more}`,
    );
  }
}

function columnsOf(options: CommandOptions, name: string): readonly string[] {
  if (name === 'slice') return readSlices(options).map(({ column }) => column);
  const label = name === 'label' ? options.text(name) : undefined;
  return label === undefined ? options.list(name) : [label];
}

function report(baseline: Baseline, out: string, terminal: Terminal): void {
  terminal.printJson({
    file: out,
    sha256: baseline.sha256,
    records: baseline.records,
    quarantined: baseline.quarantined,
    features: baseline.features.map(([name, { kind }]) => ({ name, kind })),
    notes: baseline.notes,
  });
  terminal.print();
  const rows = baseline.features.map(([name, feature]) => [makePrintable(name), feature] as const);
  const width = Math.min(32, Math.max(...rows.map(([name]) => name.length)));
  for (const [name, feature] of rows.slice(0, maximumRows)) {
    terminal.print(`  ${name.slice(0, width).padEnd(width)}  ${describe(feature)}`);
  }
  if (rows.length > maximumRows) terminal.print(`  … and ${rows.length - maximumRows} more`);
  for (const note of baseline.notes.slice(0, maximumRows)) {
    const [first = '', ...rest] = wrap(`note: ${makePrintable(note)}`, terminal.width - 8);
    for (const line of [first, ...rest.map((line) => `      ${line}`)])
      terminal.print(`  ${terminal.paint('dim', line)}`);
  }
  if (baseline.notes.length > maximumRows) {
    terminal.print(`  … and ${baseline.notes.length - maximumRows} more notes, in the file`);
  }
  terminal.print();
  const lost = baseline.quarantined > 0 ? `, ${baseline.quarantined} quarantined` : '';
  terminal.print(`${baseline.records} records${lost} in ${terminal.link(out)}`);
  terminal.print(`sha256 ${baseline.sha256}`);
}

function describe(feature: BaselineFeature): string {
  const { missing, count } = feature.summary;
  if (feature.summary.kind === 'embedding') {
    const { fitted = 0, invalid } = feature.summary;
    return `embedding    ${count + fitted} vectors, ${missing} missing, ${invalid} unusable`;
  }
  const share = missing + count > 0 ? (100 * missing) / (missing + count) : 0;
  const missingText = `missing ${share.toFixed(1)} %`;
  if (feature.kind !== 'numeric') return `${feature.kind.padEnd(11)}  ${feature.distinct} distinct, ${missingText}`;
  const quantiles = new Map(feature.quantiles);
  const [low, median, high] = [0.01, 0.5, 0.99].map((probability) => short(quantiles.get(probability)));
  return `numeric      mean ${short(feature.mean)}, median ${median}, 98 % from ${low} to ${high}, ${missingText}`;
}

function short(value: number | undefined): string {
  return value === undefined ? 'none' : String(Number(value.toPrecision(4)));
}
