import { writeFile } from 'node:fs/promises';
import { parseDuration } from '../../core/contract/duration.ts';
import type { Baseline, BaselineFeature } from '../../core/model/baseline.ts';
import { canonicalJson } from '../../core/model/canonical-json.ts';
import { createBaseline, EmptyBaselineError } from '../../core/pipeline/create-baseline.ts';
import type { ColumnChoice } from '../../core/profile/plan-layout.ts';
import { type Command, type CommandOptions, InputError, UsageError, wrap } from '../command.ts';
import { exitCode } from '../exit-code.ts';
import { makePrintable } from '../printable-text.ts';
import { openRecords } from '../read-records.ts';
import type { Terminal } from '../terminal.ts';

export const baselineCreate: Command = {
  name: 'baseline create',
  summary: 'a baseline of normal behaviour from a CSV file or captures',
  description: [
    'Reads the records twice: once to see what each column is, once to count it. Numbers are counted in log-linear buckets around the median, texts by category. Columns that look like identifiers or free text are left out, with a note; --numeric, --categorical and --ignore overrule what was inferred.',
    'Records with times (captures, or a CSV file with --time) are also counted per window and per hour of the week. The file is canonical JSON and carries its own SHA-256: name it in the configuration under versions[].baseline.',
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
    since: { type: 'string', value: 'TIME', help: 'leave out records before this time' },
    until: { type: 'string', value: 'TIME', help: 'leave out records from this time on' },
    window: { type: 'string', value: 'DURATION', help: 'width of the windows of later verdicts; default 1h' },
    numeric: { type: 'string', multiple: true, value: 'COLUMN', help: 'count this column as numbers' },
    categorical: { type: 'string', multiple: true, value: 'COLUMN', help: 'count this column as categories' },
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
    { windowSeconds: files.timed ? readWindow(options) : undefined, choose: readChoices(options) },
  ).catch((error) => {
    if (!(error instanceof EmptyBaselineError)) throw error;
    const between = from === undefined && to === undefined ? '' : ' in the time asked for';
    throw new InputError(`${path}: ${error.message}${between}`, { cause: error });
  });
  progress.done(`${baseline.records} records`);
  return baseline;
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
  const numeric = options.list('numeric');
  const categorical = options.list('categorical');
  const ignored = options.list('ignore');
  const twice = numeric.find((column) => categorical.includes(column));
  if (twice !== undefined)
    throw new InputError(`column ${JSON.stringify(twice)} is asked for as numeric and as categorical`);
  return (column) => ({
    kind: numeric.includes(column) ? 'numeric' : categorical.includes(column) ? 'categorical' : undefined,
    ignore: ignored.includes(column),
  });
}

/** Lines of features and of notes shown. */
const maximumRows = 60;

/** @throws {UsageError} for a column that no record has: most likely a slip of the pen. */
function checkChoices(options: CommandOptions, { layout }: Baseline): void {
  const known = new Set([...layout.features.map(([name]) => name), ...layout.leftOut]);
  for (const name of ['numeric', 'categorical', 'ignore']) {
    const unknown = options.list(name).find((column) => !known.has(column));
    if (unknown === undefined) continue;
    const columns = [...known].slice(0, 20).map((column) => JSON.stringify(column));
    const more = known.size > columns.length ? ` and ${known.size - columns.length} more` : '';
    throw new UsageError(
      `--${name}: there is no column ${JSON.stringify(unknown)}; the records have ${columns.join(', ')}${more}`,
    );
  }
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
