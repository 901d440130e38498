import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { openBackend } from '../../cli/backend.ts';
import { RecordedState } from '../../cli/backtest/recorded-state.ts';
import { readRecording, readVerdicts, rejudgeState } from '../../cli/backtest/replays.ts';
import { type LoadedConfig, prepareModels } from '../../cli/load-config.ts';
import {
  completenessSlo,
  email,
  freshnessSlo,
  httpCapture,
  latencySlo,
  sagemakerCapture,
} from '../../core/contract/config.ts';
import { canonicalJson } from '../../core/model/canonical-json.ts';
import { sha256 } from '../../core/model/content-hash.ts';
import { quietTimes } from '../../core/pipeline/backtest/quiet-times.ts';
import { planArrivals, type ReplayPorts, replay } from '../../core/pipeline/replay.ts';
import { temporaryDirectory } from '../adapters/temporary-directory.ts';
import { createRandom } from '../evaluate/synthetic-model.ts';
import {
  captureBucket,
  hour,
  linesOf,
  minute,
  payloadKey,
  payloadLine,
  requestKey,
  requestLine,
} from './capture-lines.ts';
import { createRuntime, start, usualRow } from './embedded-world.ts';

const hours = 4;

interface Written {
  readonly arrival?: (time: number) => number;
  /** Whether calls of that time lack the country. */
  readonly isNull?: (time: number) => boolean;
  readonly isSteady?: boolean;
}

/** A folder of captures with an hour of nulls, drift after it unless it is steady, and objects that come late. */
function writeCaptures(
  folder: string,
  {
    arrival = (time) => time,
    isNull = (time) => time >= start + hour && time < start + 2 * hour,
    isSteady = false,
  }: Written = {},
): void {
  const random = createRandom(4);
  for (let from = start; from < start + hours * hour; from += 10 * minute) {
    const times = Array.from({ length: 20 }, (_, index) => from + index * 30_000);
    const isDrifting = !isSteady && from >= start + 2 * hour;
    const calls = times.map((time, index) => {
      const [amount, country] = usualRow(random);
      const row = [isDrifting ? 40 * amount : amount, isNull(time) ? '' : country] as const;
      return { time, id: `${from}-${index}`, rows: [row] };
    });
    // Every fifth object is an hour late: its window is closed by then.
    const isLate = !isSteady && (from / (10 * minute)) % 5 === 3;
    const delivered = from + 11 * minute + (isLate ? 67 * minute : 0);
    const objects = [
      [payloadKey(from, 'p'), calls.map(payloadLine)],
      [requestKey(from, 'r'), times.map((time, index) => requestLine({ time, id: `${from}-${index}` }))],
    ] as const;
    for (const [key, lines] of objects) {
      const path = join(folder, captureBucket, key);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, linesOf(lines));
      const seconds = arrival(delivered) / 1000;
      utimesSync(path, seconds, seconds);
    }
  }
}

async function loadModel(
  folder: string,
  window = '30m',
  change: (slos: object[]) => object[] = (slos) => slos,
): Promise<LoadedConfig> {
  const runtime = await createRuntime();
  writeFileSync(join(folder, 'v1.json'), canonicalJson(runtime.baselineOf('v1')));
  const config = {
    models: [
      {
        name: 'credit',
        source: [
          sagemakerCapture({ bucket: captureBucket, prefix: 'data', endpoint: 'credit', versionFrom: 'version' }),
          httpCapture({ bucket: captureBucket, prefix: 'requests', role: 'requests' }),
        ],
        versions: [
          { match: 'v1', schema: { columns: ['amount', 'country'], prediction: 'score' }, baseline: 'v1.json' },
        ],
        window,
        captureDelay: '10m',
        silenceAfter: '15m',
        features: { country: { required: true } },
        slos: change([
          latencySlo({ threshold: '100ms', objective: 0.99 }),
          completenessSlo({ objective: 0.99 }),
          freshnessSlo({ threshold: '15m', objective: 0.99 }),
        ]),
        alerts: { yellow: [email('ml@example.com')], red: [email('oncall@example.com')] },
      },
    ],
  };
  return prepareModels(config, folder);
}

interface Replayed {
  readonly config: LoadedConfig;
  readonly captures: string;
  readonly state: string;
}

function newState(folder: string, name: string): string {
  const state = join(folder, name);
  mkdirSync(join(state, 'keys'), { recursive: true });
  // The same key everywhere, so that the evidence can be compared.
  writeFileSync(join(state, 'keys', 'evidence.key'), `${'5'.repeat(64)}\n`, { mode: 0o600 });
  return state;
}

/** Replays with a backend of its own, until `stopAfter` steps were taken. @returns the steps taken. */
async function run(
  { config, captures, state }: Replayed,
  stopAfter = Number.POSITIVE_INFINITY,
  disturb: (ports: ReplayPorts) => ReplayPorts = (ports) => ports,
): Promise<number> {
  const backend = openBackend({ config, state, captures });
  let steps = 0;
  try {
    const arrivals = await planArrivals(config.runtimes, backend.ports.captures);
    const options = { runtimes: config.runtimes, definitions: backend.definitions, arrivals, tickSeconds: 60 };
    for await (const _ of replay(options, disturb(backend.ports))) if (++steps >= stopAfter) break;
  } finally {
    backend.close();
  }
  return steps;
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

/** All that a replay leaves: files by name and content, and what the database holds. */
function remainder(state: string) {
  const files = ['state', 'audit', 'outbox'].flatMap((part) =>
    filesUnder(join(state, part)).map((file) => [part, file, sha256(readFileSync(join(state, part, file)))] as const),
  );
  const database = new DatabaseSync(join(state, 'tidewatch.sqlite'), { readOnly: true });
  const all = (sql: string) => database.prepare(sql).all();
  try {
    return {
      files,
      metrics: all(
        'SELECT metric, dimensions, time, value FROM metric_data JOIN metric_series ON id = series ORDER BY 1, 2, 3, 4',
      ),
      rows: all('SELECT partition, key, value FROM state_rows ORDER BY 1, 2'),
      touches: all('SELECT window_prefix FROM touches'),
      messages: all('SELECT id, time, message, file FROM outbox ORDER BY rowid'),
    };
  } finally {
    database.close();
  }
}

async function prepare(): Promise<{ folder: string; replayed: (name: string) => Replayed }> {
  const folder = temporaryDirectory();
  const captures = join(folder, 'captures');
  writeCaptures(captures);
  const config = await loadModel(folder);
  return { folder, replayed: (name) => ({ config, captures, state: newState(folder, name) }) };
}

test('a replay that is stopped after any step, or crashes within one, ends like an undisturbed one', async () => {
  const { replayed } = await prepare();
  const undisturbed = replayed('undisturbed');
  const steps = await run(undisturbed);
  const expected = remainder(undisturbed.state);
  expect(steps).toBeGreaterThan(5);
  expect(expected.messages.length).toBeGreaterThan(1);
  expect(expected.files.filter(([, file]) => /verdicts.*000001\.json$/.test(file)).length).toBeGreaterThan(2);
  expect(expected.files.filter(([, file]) => file.includes('/live/')).length).toBeGreaterThan(1);

  // Stopped after each step and continued by a new process.
  const end = readCursor(undisturbed.state);
  const stopped = replayed('stopped');
  while (readCursor(stopped.state) < end) await run(stopped, 1);
  await run(stopped);
  expect(remainder(stopped.state)).toEqual(expected);

  // Each step crashes at its end, when all its files are written and nothing is committed, and once on its way there.
  const crashed = replayed('crashed');
  const random = createRandom(9);
  while (readCursor(crashed.state) < end) {
    await expect(run(crashed, 1, crashAtEnd)).rejects.toThrow('crash');
    await expect(run(crashed, 1, crashAfter(Math.floor(4 * random())))).rejects.toThrow('crash');
    await run(crashed, 1);
  }
  await expect(run(crashed, 1, crashAtEnd)).rejects.toThrow('crash');
  await run(crashed);
  expect(remainder(crashed.state)).toEqual(expected);

  // Again when all is done: nothing changes.
  await run(undisturbed);
  expect(remainder(undisturbed.state)).toEqual(expected);
});

/** The database is rolled back, the files stay. */
function crashAtEnd(ports: ReplayPorts): ReplayPorts {
  const transaction: ReplayPorts['transaction'] = (step) =>
    ports.transaction(async () => {
      await step();
      throw new Error('crash');
    });
  return { ...ports, transaction };
}

function crashAfter(publications: number): (ports: ReplayPorts) => ReplayPorts {
  let left = publications;
  return (ports) => ({
    ...ports,
    metrics: {
      put: async (...data) => {
        if (left-- === 0) throw new Error('crash');
        await ports.metrics.put(...data);
      },
    },
  });
}

/** Through which time a replay is committed. */
function readCursor(state: string): number {
  if (!existsSync(join(state, 'tidewatch.sqlite'))) return 0;
  return Number(remainder(state).rows.find(({ partition }) => partition === 'replay')?.value ?? 0);
}

/** What the newest revision of each window counts. */
function countedOf(state: string) {
  const counted = new Map<string, number>();
  for (const [part, file] of remainder(state).files) {
    if (!/verdicts\/.*\/\d{6}\.json$/.test(file)) continue;
    counted.set(dirname(file), JSON.parse(readFileSync(join(state, part, file), 'utf8')).records.counted);
  }
  return counted;
}

test('windows whose touches were lost are judged at the end', async () => {
  const { replayed } = await prepare();
  const [undisturbed, forgetful] = [replayed('undisturbed'), replayed('forgetful')];
  await run(undisturbed);
  const { captures } = forgetful;
  const last = Math.max(...filesUnder(captures).map((file) => statSync(join(captures, file)).mtimeMs));
  let lost = 0;
  await run(forgetful, Number.POSITIVE_INFINITY, (ports) => ({
    ...ports,
    touches: {
      touch: async (prefix) => {
        if (ports.clock.now() > last) await ports.touches.touch(prefix);
        else lost++;
      },
    },
  }));
  expect(lost).toBeGreaterThan(2);
  expect(countedOf(forgetful.state)).toEqual(countedOf(undisturbed.state));
  expect(remainder(forgetful.state).touches).toEqual([]);
});

test('objects that were added later to what was replayed are taken in by the same run that finds them', async () => {
  const { folder, replayed } = await prepare();
  const [undisturbed, late] = [replayed('undisturbed'), replayed('late')];
  await run(undisturbed);
  const path = join(late.captures, captureBucket, payloadKey(start + 2 * hour, 'p'));
  const aside = join(folder, 'aside');
  renameSync(path, aside);
  await run(late);
  expect(countedOf(late.state)).not.toEqual(countedOf(undisturbed.state));
  renameSync(aside, path);
  await run(late);
  expect(countedOf(late.state)).toEqual(countedOf(undisturbed.state));
  expect(remainder(late.state).touches).toEqual([]);
});

test('objects whose times were lost by copying arrive when their keys say', async () => {
  const folder = temporaryDirectory();
  const captures = join(folder, 'captures');
  writeCaptures(captures, { arrival: () => start + 90 * 24 * hour });
  const config = await loadModel(folder);
  const copied = { config, captures, state: newState(folder, 'copied') };
  await run(copied);
  const { files, rows } = remainder(copied.state);
  expect(statSync(join(captures, captureBucket, payloadKey(start, 'p'))).mtimeMs).toBeGreaterThan(
    start + 30 * 24 * hour,
  );
  const verdicts = files.filter(([, file]) => /verdicts\/.*000000\.json$/.test(file));
  expect(verdicts).toHaveLength(2 * hours);
  const counted = verdicts.map(
    ([part, file]) => JSON.parse(readFileSync(join(copied.state, part, file), 'utf8')).records.counted,
  );
  expect(counted).toEqual(new Array(2 * hours).fill(60));
  expect(rows.length).toBeGreaterThan(0);
});

test.each([60, 420, 3600, 5400])(
  'every arrival is taken in once, with a tick every %i seconds',
  async (tickSeconds) => {
    const { folder, replayed } = await prepare();
    const { config, captures, state } = replayed(`every-${tickSeconds}`);
    const backend = openBackend({ config, state, captures });
    try {
      const arrivals = await planArrivals(config.runtimes, backend.ports.captures);
      const options = { runtimes: config.runtimes, definitions: backend.definitions, arrivals, tickSeconds };
      let ingested = 0;
      for await (const step of replay(options, backend.ports)) ingested += step.ingested.length;
      expect(ingested).toBe(arrivals.length);
      expect(arrivals.length).toBe(filesUnder(join(folder, 'captures')).length);
    } finally {
      backend.close();
    }
  },
);

describe('where a recording ends', () => {
  const end = start + hours * hour;

  /** Subjects of the messages of a steady recording, but for some nulls. */
  async function subjectsOf(isNull: (time: number) => boolean, window?: string): Promise<readonly string[]> {
    const folder = temporaryDirectory();
    const captures = join(folder, 'captures');
    writeCaptures(captures, { isNull, isSteady: true });
    const state = newState(folder, 'state');
    await run({ config: await loadModel(folder, window), captures, state });
    const { messages } = remainder(state);
    return messages.map(({ message }) => String(JSON.parse(String(message)).subject).replace(/:.*/, ''));
  }

  test.each(['30m', '6h', '1d'])('nobody is told that nothing comes any more: windows of %s', async (window) => {
    expect(await subjectsOf(() => false, window)).toEqual([]);
  });

  test('what ended in its last window is told to be over', async () => {
    // Not every value: what a closed window finds red is held until the next one would have been judged.
    const isNull = (time: number) => time >= end - hour && time < end - hour / 2 && time % (2 * minute) < minute;
    expect(await subjectsOf(isNull)).toEqual([
      'RED credit',
      // The budget still burns, more slowly.
      'LOWERED credit',
      'YELLOW credit',
    ]);
  });

  test('what went on in its last minute goes on', async () => {
    // The closed window shows it too, in its way.
    expect(await subjectsOf((time) => time >= end - hour)).toEqual(['RED credit', 'UPDATE credit']);
  });
});

test.each([
  ['as it is set', (slos: object[]) => slos],
  ['with a milder objective', (slos: object[]) => slos.map((slo) => ({ ...slo, objective: 0.95 }))],
])('judged anew %s, times at which nothing was found live need not be looked at again', async (_, change) => {
  const { folder, replayed } = await prepare();
  const recorded = replayed('recorded');
  await run(recorded);
  const { definitions, close } = openBackend(recorded);
  close();
  const changed = await loadModel(folder, '30m', change);
  const state = new RecordedState(recorded.state);
  try {
    const recording = await readRecording(state, changed.runtimes);
    const quiet = quietTimes(await readVerdicts(state.store, recorded.config.runtimes), 10 * minute);
    let skipped = 0;
    const isQuiet = (model: string, time: number) => {
      const is = quiet(model, time);
      if (is) skipped++;
      return is;
    };
    const judge = (more: object) =>
      rejudgeState(state, recording, changed.runtimes, definitions, {
        tickMinutes: 10,
        onProgress: () => undefined,
        ...more,
      });
    const [whole, quick] = [await judge({}), await judge({ isQuiet })];
    expect(skipped).toBeGreaterThan(5);
    expect(whole.messages.length).toBeGreaterThan(1);
    expect(quick.messages).toEqual(whole.messages);
    expect(quick.transitions).toEqual(whole.transitions);
    expect(quick.verdicts.map(({ key }) => key)).toEqual(whole.verdicts.map(({ key }) => key));
  } finally {
    state.close();
  }
});
