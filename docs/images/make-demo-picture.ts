import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Incident, incidents } from '../../cli/demo/incidents.ts';
import type { FeatureVerdict, Verdict } from '../../core/model/verdict.ts';

/**
 * Draws what the demo judged: one column a day, one row a feature. The same state gives the same picture.
 * Run after `npm run demo`: npx tsx docs/images/make-demo-picture.ts [STATE] [FILE]
 */

const millisecondsPerDay = 86_400_000;
const width = 1000;
const plotLeft = 150;
const plotRight = 975;
const stripTop = 84;
const rowsTop = 120;
const rowHeight = 62;
const barsHeight = 48;

const style = `
    .paper { fill: #ffffff } .ink { fill: #1f2933 } .soft { fill: #52606d } .line { stroke: #c3ccd5 }
    .green { fill: #9bd1b0 } .yellow { fill: #e0a100 } .red { fill: #cf3a36 } .bar { fill: #93a3b4 }
    .band { fill: #7b61c9; fill-opacity: 0.14 } .name { fill: #6145b8 } .seen { stroke: #52606d }
    .hollow { fill: #ffffff; stroke: #e0a100 }
    @media (prefers-color-scheme: dark) {
      .paper { fill: #14181d } .ink { fill: #e8edf2 } .soft { fill: #a5b1bd } .line { stroke: #3b4650 }
      .green { fill: #3f7d58 } .yellow { fill: #f2b91f } .red { fill: #f0625c } .bar { fill: #66778a }
      .band { fill: #a58ff0; fill-opacity: 0.2 } .name { fill: #c0b0ff } .seen { stroke: #a5b1bd }
      .hollow { fill: #14181d; stroke: #f2b91f }
    }
    text { font-family: system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; font-size: 14px }
    .small { font-size: 12px } .title { font-size: 17px; font-weight: 600 }`;

/** A stretch in which the live judgement was red, milliseconds since the epoch. */
interface Page {
  readonly from: number;
  readonly to: number;
}

function readVerdicts(state: string): { readonly days: readonly Verdict[]; readonly live: readonly Verdict[] } {
  const root = join(state, 'state', 'verdicts');
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.json'));
  const verdicts = files.sort().map((path): Verdict => JSON.parse(readFileSync(join(root, path), 'utf8')));
  // Of several revisions of a window the last one counts.
  const days = new Map(
    verdicts.filter(({ mode }) => mode === 'closed').map((verdict) => [verdict.window.start, verdict]),
  );
  const byEnd = (a: Verdict, b: Verdict) => Date.parse(a.window.end) - Date.parse(b.window.end);
  return { days: [...days.values()].sort(byEnd), live: verdicts.filter(({ mode }) => mode === 'live').sort(byEnd) };
}

function pagesOf(live: readonly Verdict[]): readonly Page[] {
  const pages: { from: number; to: number }[] = [];
  let isRed = false;
  for (const { tier, window } of live) {
    const time = Date.parse(window.end);
    if (tier === 'red' && !isRed) pages.push({ from: time, to: time });
    const open = pages.at(-1);
    if (open && isRed) open.to = time;
    isRed = tier === 'red';
  }
  return pages;
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('`', '');
}

function fixed(value: number): string {
  return String(Number(value.toFixed(1)));
}

function text(x: number, y: number, style: string, content: string, anchor = 'start'): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" class="${style}" text-anchor="${anchor}">${escapeText(content)}</text>`;
}

function box(x: number, y: number, boxWidth: number, height: number, style: string): string {
  return `<rect x="${fixed(x)}" y="${fixed(y)}" width="${fixed(boxWidth)}" height="${fixed(height)}" class="${style}"/>`;
}

const largestShown = 1;

class Picture {
  readonly #days: readonly Verdict[];
  readonly #start: number;
  readonly #end: number;
  readonly #features: readonly string[];
  readonly #scale: number;
  readonly #incidents: readonly Incident[] = Object.values(incidents);

  constructor(days: readonly Verdict[]) {
    const [first, last] = [days[0], days.at(-1)];
    if (!first || !last) throw new Error('expected at least one verdict of a closed window, saw none');
    this.#days = days;
    this.#start = Date.parse(first.window.start);
    this.#end = Date.parse(last.window.end);
    this.#features = Object.keys(first.features).sort();
    const scores = days.flatMap(({ features }) => Object.values(features).map(psiOf));
    // A feature that is not sent at all has a PSI of many times any other: its bar is cut, and its share written beside it.
    const shown = scores.filter((score) => score <= largestShown);
    this.#scale = Math.ceil(Math.max(...shown, 0.1) * 10) / 10;
  }

  draw(pages: readonly Page[]): string {
    const bottom = rowsTop + this.#features.length * rowHeight;
    const height = bottom + 62 + this.#incidents.length * 20 + 12;
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Daily population stability index of each feature of the demo, with tiers and incidents">`,
      `  <style>${style}\n  </style>`,
      ...[
        `<rect width="${width}" height="${height}" rx="10" class="paper"/>`,
        text(20, 32, 'ink title', 'What the demo judged: population stability index of each feature, day by day'),
        text(20, 54, 'soft small', describeScale(this.#days, this.#scale)),
        ...this.#drawBands(bottom),
        ...this.#drawStrip(pages),
        ...this.#features.flatMap((feature, row) => this.#drawRow(feature, rowsTop + row * rowHeight)),
        ...this.#drawAxis(bottom),
        ...this.#drawLegend(bottom + 48),
        ...this.#incidents.map(({ what }, index) =>
          text(20, bottom + 76 + index * 20, 'name', `${index + 1}  injected: ${what}`),
        ),
      ].map((line) => `  ${line}`),
      '</svg>',
      '',
    ].join('\n');
  }

  #x(time: number): number {
    return plotLeft + ((time - this.#start) / (this.#end - this.#start)) * (plotRight - plotLeft);
  }

  #drawBands(bottom: number): readonly string[] {
    return this.#incidents.flatMap(({ from, to }, index) => {
      // At least a day wide: the judgement of the day is what the band marks.
      const left = this.#x(Math.floor(Date.parse(from) / millisecondsPerDay) * millisecondsPerDay);
      const right = this.#x(Math.ceil(Date.parse(to) / millisecondsPerDay) * millisecondsPerDay);
      return [
        box(left, stripTop - 4, right - left, bottom - stripTop + 4, 'band'),
        text((left + right) / 2, stripTop - 8, 'name', String(index + 1), 'middle'),
      ];
    });
  }

  #drawStrip(pages: readonly Page[]): readonly string[] {
    const days = this.#days.map(({ window, tier }) => {
      const [left, right] = [this.#x(Date.parse(window.start)), this.#x(Date.parse(window.end))];
      return box(left + 1, stripTop, right - left - 2, 12, tier);
    });
    const red = pages.map(({ from, to }) =>
      box(this.#x(from), stripTop + 15, Math.max(this.#x(to) - this.#x(from), 3), 8, 'red'),
    );
    return [
      text(plotLeft - 10, stripTop + 11, 'ink', 'tier of the day', 'end'),
      text(plotLeft - 10, stripTop + 25, 'soft small', 'paged', 'end'),
      ...days,
      ...red,
    ];
  }

  #drawRow(feature: string, top: number): readonly string[] {
    const ground = top + barsHeight;
    const y = (psi: number) => ground - (Math.min(psi, this.#scale) / this.#scale) * (barsHeight - 8);
    const lines = [
      text(plotLeft - 10, ground - 12, 'ink', feature, 'end'),
      `<line x1="${plotLeft}" y1="${fixed(ground)}" x2="${plotRight}" y2="${fixed(ground)}" class="line"/>`,
    ];
    const seen: string[] = [];
    for (const { window, features, findings } of this.#days) {
      const verdict = features[feature];
      if (!verdict) continue;
      const [left, right] = [this.#x(Date.parse(window.start)), this.#x(Date.parse(window.end))];
      const psi = psiOf(verdict);
      lines.push(box(left + 2, y(psi), right - left - 4, ground - y(psi), verdict.drifted ? 'yellow' : 'bar'));
      const detectable = verdict.minimumDetectableEffect;
      if (detectable !== null) seen.push(`M${fixed(left)} ${fixed(y(detectable))}H${fixed(right)}`);
      const isMissing = findings.some((finding) => finding.feature === feature && finding.kind === 'missing');
      // Days after it are yellow for the days before.
      if (isMissing && missingPercent(verdict) > 0) {
        const [x, height] = [(left + right) / 2, Math.min(y(psi), ground - 16) - 9];
        lines.push(
          `<circle cx="${fixed(x)}" cy="${fixed(height)}" r="4" class="hollow" stroke-width="2"/>`,
          text(x + 9, height + 4, 'ink small', `${missingPercent(verdict)} % empty`),
        );
      }
    }
    lines.push(`<path d="${seen.join('')}" class="seen" stroke-dasharray="2 2" fill="none" stroke-width="0.8"/>`);
    return lines;
  }

  #drawAxis(bottom: number): readonly string[] {
    return this.#days.flatMap(({ window }) => {
      const start = Date.parse(window.start);
      if (new Date(start).getUTCDay() !== 1) return [];
      const x = this.#x(start);
      const day = new Date(start).toUTCString().slice(5, 11);
      return [
        `<line x1="${fixed(x)}" y1="${stripTop}" x2="${fixed(x)}" y2="${bottom - 8}" class="line" stroke-opacity="0.5"/>`,
        text(x, bottom + 10, 'soft small', day, 'middle'),
      ];
    });
  }

  #drawLegend(y: number): readonly string[] {
    const entries: readonly (readonly [mark: (x: number) => string, label: string, width: number])[] = [
      [(x) => box(x, y - 10, 12, 12, 'green'), 'green', 70],
      [(x) => box(x, y - 10, 12, 12, 'yellow'), 'yellow: drifted', 125],
      [(x) => box(x, y - 10, 12, 12, 'red'), 'red: people paged', 140],
      [(x) => box(x, y - 10, 12, 12, 'bar'), 'not drifted', 105],
      [
        (x) =>
          `<path d="M${fixed(x - 8)} ${y - 4}h20" class="seen" stroke-dasharray="2 2" fill="none" stroke-width="1"/>`,
        'smallest PSI that would have been seen (power 0.8)',
        0,
      ],
    ];
    let x = 20;
    return entries.flatMap(([mark, label, step]) => {
      const lines = [mark(x), text(x + 18, y + 1, 'soft small', label)];
      x += step;
      return lines;
    });
  }
}

function psiOf(verdict: FeatureVerdict): number {
  return verdict.scores.populationStabilityIndex ?? 0;
}

function missingPercent({ current }: FeatureVerdict): number {
  return Math.round((100 * current.missing) / Math.max(current.missing + current.count, 1));
}

function describeScale(days: readonly Verdict[], scale: number): string {
  const [first, last] = [days[0]?.window.start.slice(0, 10), days.at(-1)?.window.start.slice(0, 10)];
  return `${first} to ${last}, UTC. Every row has the same scale: from 0 to a PSI of ${scale}, larger ones are cut. The baseline is 11 January to 10 February.`;
}

const state = process.argv[2] ?? '.tidewatch/demo';
const file = process.argv[3] ?? new URL('demo.svg', import.meta.url).pathname;
const { days, live } = readVerdicts(state);
writeFileSync(file, new Picture(days).draw(pagesOf(live)));
process.stdout.write(`${file}: ${days.length} days, ${live.length} live verdicts\n`);
