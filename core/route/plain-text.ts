/** Longest line of a message. */
export const maximumColumns = 78;
/** Longest name shown. Names come from configurations and payloads. */
const maximumNameLength = 40;

/**
 * Text that can neither break a line, reorder or hide text, nor become a link in a mail reader: control, format, bidi
 * and unassigned characters become `?`, `://` becomes `:[//]`. For names and sentences that others wrote.
 */
export function escapeText(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?')
    .replaceAll('://', ':[//]')
    .replace(/\bwww\./gi, 'www[.]');
}

/** A name, escaped and cut to 40 characters. */
export function escapeName(name: string): string {
  return cut(escapeText(name), maximumNameLength);
}

/** Printable ASCII; everything else becomes `?`. */
export function escapeAscii(text: string): string {
  return escapeText(text).replace(/[^\x20-\x7e]/gu, '?');
}

/** At most `length` characters; what was cut ends in `...`. */
export function cut(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, Math.max(0, length - 3)).join('')}...`;
}

/**
 * Wraps escaped text at spaces into lines of at most 78 columns. `first` starts the first line, `rest` the others.
 * Words longer than a line are cut into pieces.
 */
export function wrapText(text: string, first = '', rest = first): string[] {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  const push = () => {
    lines.push(line);
    line = rest;
    empty = true;
  };
  for (const word of text.split(' ').filter((part) => part !== '')) {
    let left = [...word];
    if (!empty && [...line].length + 1 + left.length > maximumColumns) push();
    while (left.length > 0) {
      const room = maximumColumns - [...line].length - (empty ? 0 : 1);
      line += `${empty ? '' : ' '}${left.slice(0, room).join('')}`;
      empty = false;
      left = left.slice(room);
      if (left.length > 0) push();
    }
  }
  if (!empty) lines.push(line);
  return lines;
}
