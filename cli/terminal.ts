import type { Tier } from '../core/model/verdict.ts';

/** Where a command speaks: results on standard output, progress and complaints on standard error. */
export interface Terminal {
  /** True where standard output is to carry one JSON document and nothing else. */
  readonly json: boolean;
  /** Columns of the window, between 60 and 110; 100 where there is none. */
  readonly width: number;
  print(line?: string): void;
  printJson(value: unknown): void;
  complain(line: string): void;
  progress(label: string): Progress;
  paint(style: Style, text: string): string;
  link(path: string): string;
}

export type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan';

export interface Progress {
  /** @param share 0 to 1. */
  update(share: number, note?: string): void;
  /** Replaces the bar with a line that says what was done. */
  done(note: string): void;
}

const codes: Readonly<Record<Style, number>> = { bold: 1, dim: 2, green: 32, yellow: 33, red: 31, cyan: 36 };
const barWidth = 24;
const redrawMilliseconds = 80;

export function createTerminal(json: boolean): Terminal {
  const coloured = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
  const paint = (style: Style, text: string) => (coloured ? `\u001b[${codes[style]}m${text}\u001b[0m` : text);
  return {
    json,
    width: Math.min(Math.max(process.stdout.columns ?? 100, 60), 110),
    print: (line = '') => {
      if (!json) process.stdout.write(`${line}\n`);
    },
    printJson: (value) => {
      if (json) process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
    },
    complain: (line) => process.stderr.write(`${line}\n`),
    progress: (label) => (process.stderr.isTTY ? barProgress(label) : plainProgress(label)),
    paint,
    link: (path) => paint('cyan', path),
  };
}

function barProgress(label: string): Progress {
  let drawn = 0;
  return {
    update(share, note = '') {
      const now = performance.now();
      if (now - drawn < redrawMilliseconds) return;
      drawn = now;
      const filled = Math.round(Math.min(Math.max(share, 0), 1) * barWidth);
      const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled);
      process.stderr.write(`\r\u001b[2K  ${label} ${bar} ${String(Math.round(share * 100)).padStart(3)} % ${note}`);
    },
    done(note) {
      process.stderr.write(`\r\u001b[2K  ✓ ${label}: ${note}\n`);
    },
  };
}

/** Where standard error is a file or a log: a line each quarter. */
function plainProgress(label: string): Progress {
  let quarter = 0;
  return {
    update(share, note = '') {
      const reached = Math.floor(share * 4);
      if (reached <= quarter || reached >= 4) return;
      quarter = reached;
      process.stderr.write(`  ${label}: ${reached * 25} % ${note}\n`);
    },
    done(note) {
      process.stderr.write(`  ${label}: ${note}\n`);
    },
  };
}

const tierStyles: Readonly<Record<Tier, Style>> = { green: 'green', yellow: 'yellow', red: 'red' };

export function paintTier(terminal: Terminal, tier: Tier, text: string = tier.toUpperCase()): string {
  return terminal.paint(tierStyles[tier], text);
}
