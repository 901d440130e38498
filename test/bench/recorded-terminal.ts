import type { Terminal } from '../../cli/terminal.ts';

/** A terminal that keeps what it was told. */
export function createRecordedTerminal(): Terminal & { readonly lines: string[]; readonly documents: unknown[] } {
  const lines: string[] = [];
  const documents: unknown[] = [];
  return {
    json: false,
    width: 100,
    lines,
    documents,
    print: (line = '') => lines.push(line),
    printJson: (value) => documents.push(value),
    complain: () => undefined,
    progress: () => ({ update: () => undefined, done: () => undefined }),
    paint: (_, text) => text,
    link: (path) => path,
  };
}
