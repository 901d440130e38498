/**
 * Counts by position as text: runs of counts above 0, each as the position of its first and the counts, `12:3,1,4;40:1`.
 * One text per counts, and short where most are 0 and where none is: a fragment holds one record of two hundred
 * features, a baseline a month of them.
 */
export type CountRuns = string;

/** The text of counts; those that are 0 are left out. */
export function encodeCountRuns(counts: ArrayLike<number>): CountRuns {
  const runs: string[] = [];
  for (let from = 0; from < counts.length; from++) {
    if (!((counts[from] ?? 0) > 0)) continue;
    let run = `${from}:${counts[from]}`;
    let next = from + 1;
    for (; next < counts.length && (counts[next] ?? 0) > 0; next++) run += `,${counts[next]}`;
    runs.push(run);
    from = next;
  }
  return runs.join(';');
}

/** The text of [position, count], ascending by position, counts > 0. */
export function encodeCountPairs(pairs: Iterable<readonly [position: number, count: number]>): CountRuns {
  let text = '';
  let next = -1;
  for (const [position, count] of pairs) {
    text += position === next ? `,${count}` : `${text === '' ? '' : ';'}${position}:${count}`;
    next = position + 1;
  }
  return text;
}

const colon = 58;
const comma = 44;
const semicolon = 59;
const zero = 48;

/**
 * Adds the counts of a text to those of an array.
 * @param factor what each count is multiplied by: −1 subtracts
 * @throws {RangeError} on a text that is none, and on a position outside the array.
 */
export function addCountRuns(text: CountRuns, into: Float64Array, factor = 1): void {
  visitCountRuns(text, (position, count) => {
    if (position >= into.length) {
      throw new RangeError(`count runs: expected positions below ${into.length}, saw ${position}`);
    }
    into[position] = (into[position] ?? 0) + factor * count;
  });
}

/** @throws {RangeError} on a text that is none. */
export function visitCountRuns(text: CountRuns, visit: (position: number, count: number) => void): void {
  if (text === '') return;
  let position = -1;
  let number = 0;
  let digits = 0;
  // One pass over the characters: a baseline's slices hold tens of millions of counts.
  for (let at = 0; at <= text.length; at++) {
    const code = at === text.length ? semicolon : text.charCodeAt(at);
    const digit = code - zero;
    if (digit >= 0 && digit <= 9) {
      number = number * 10 + digit;
      digits++;
      continue;
    }
    const opens = code === colon && position < 0;
    const closes = (code === comma || code === semicolon) && position >= 0 && number > 0;
    if (digits === 0 || digits > 16 || !(opens || closes)) {
      throw new RangeError(`count runs: expected position:count,count;… saw ${describeText(text, at)}`);
    }
    if (opens) {
      position = number;
    } else {
      visit(position, number);
      position = code === semicolon ? -1 : position + 1;
    }
    number = 0;
    digits = 0;
  }
}

function describeText(text: string, at: number): string {
  const from = Math.max(0, at - 8);
  return `${JSON.stringify(text.slice(from, at + 8))} at character ${from}`;
}
