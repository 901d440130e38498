// Reading untrusted JSON objects member by member. Members come in a Map: a file may name one `__proto__`.

/** The members of a JSON object. @throws {TypeError} for any other text. */
export function readMembers(text: string): ReadonlyMap<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    // The parser's own message quotes the text.
    throw new TypeError('expected a JSON object, saw text that is not JSON', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`expected a JSON object, saw ${Array.isArray(value) ? 'a list' : typeof value}`);
  }
  return new Map(Object.entries(value));
}

export function readText(members: ReadonlyMap<string, unknown>, name: string): string {
  const value = members.get(name);
  if (typeof value !== 'string') throw new TypeError(`${name}: expected text, saw ${describe(value)}`);
  return value;
}

export function readTextOrNull(members: ReadonlyMap<string, unknown>, name: string): string | null {
  return members.get(name) === null ? null : readText(members, name);
}

export function readInteger(members: ReadonlyMap<string, unknown>, name: string): number {
  const value = members.get(name);
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw new TypeError(`${name}: expected an integer, saw ${describe(value)}`);
  }
  return value;
}

export function readCount(members: ReadonlyMap<string, unknown>, name: string): number {
  const value = readInteger(members, name);
  if (value < 0) throw new TypeError(`${name}: expected no less than 0, saw ${value}`);
  return value;
}

export function readItems(members: ReadonlyMap<string, unknown>, name: string): readonly unknown[] {
  const value = members.get(name);
  if (!Array.isArray(value)) throw new TypeError(`${name}: expected a list, saw ${describe(value)}`);
  return value;
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : typeof value;
}
