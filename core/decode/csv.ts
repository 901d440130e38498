import { Fault } from './fault.ts';

/**
 * Fields of CSV text without a header (RFC 4180): commas, doubled quotes, newlines within quotes; rows end with `\n` or
 * `\r\n`, the last one with or without. Fields keep their white space. An empty line is a row only where rows have one
 * column (`singleColumn`); elsewhere it is skipped.
 */
export function parseCsv(text: string, singleColumn: boolean): string[][] | Fault {
  if (text === '') return [];
  return text.includes('"') ? parseQuoted(text, singleColumn) : parsePlain(text, singleColumn);
}

function parsePlain(text: string, singleColumn: boolean): string[][] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const rows: string[][] = [];
  for (const line of lines) {
    const content = line.endsWith('\r') ? line.slice(0, -1) : line;
    if (content !== '' || singleColumn) rows.push(content.split(','));
  }
  return rows;
}

function parseQuoted(text: string, singleColumn: boolean): string[][] | Fault {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  for (;;) {
    const quoted = text[at] === '"';
    const field = quoted ? quotedField(text, at) : plainField(text, at);
    if (field instanceof Fault) return field;
    at = field.end;
    row.push(field.value);
    if (text[at] === ',') {
      at += 1;
      continue;
    }
    if (quoted || row.length > 1 || field.value !== '' || singleColumn) rows.push(row);
    row = [];
    if (text.startsWith('\r\n', at)) at += 2;
    else at += 1;
    if (at >= text.length) return rows;
  }
}

interface Field {
  readonly value: string;
  /** Index of the comma, the line's end or the text's end after it. */
  readonly end: number;
}

function plainField(text: string, start: number): Field {
  let end = start;
  for (; end < text.length; end += 1) {
    const code = text.charCodeAt(end);
    if (code === 0x2c || code === 0x0a) break;
  }
  if (text[end] !== ',' && end > start && text[end - 1] === '\r') end -= 1;
  return { value: text.slice(start, end), end };
}

function quotedField(text: string, start: number): Field | Fault {
  const parts: string[] = [];
  let from = start + 1;
  for (;;) {
    const end = text.indexOf('"', from);
    if (end < 0) return new Fault('bad-encoding', 'a quoted CSV field without an end', 'a closing quote');
    parts.push(text.slice(from, end));
    from = end + 2;
    if (text[end + 1] === '"') continue;
    const next = end + 1;
    const closed = next === text.length || text[next] === ',' || text[next] === '\n' || text.startsWith('\r\n', next);
    if (closed) return { value: parts.join('"'), end: next };
    if (text[next] === '\r' && next + 1 === text.length) return { value: parts.join('"'), end: next };
    return new Fault('bad-encoding', 'text after a closing quote in CSV', 'a comma or a line end');
  }
}
