/** A module named by another. `specifier` is undefined where it is computed at run time. */
export interface ModuleImport {
  readonly specifier: string | undefined;
  readonly line: number;
}

interface Token {
  readonly kind: 'word' | 'text' | 'mark';
  readonly value: string;
  readonly line: number;
}

/** Words after which a `/` begins a regular expression, not a division. */
const operatorWords = new Set(
  'return typeof instanceof in of new delete void throw case do else yield await default extends'.split(' '),
);

/** Where a `/` divides: after a value. */
function endsValue(token: Token | undefined): boolean {
  if (token === undefined) return false;
  if (token.kind === 'mark') return token.value === ')' || token.value === ']' || token.value === '}';
  return token.kind === 'text' || !operatorWords.has(token.value);
}

/**
 * The words, strings and marks of TypeScript source. Comments, regular expressions and the text of templates are
 * skipped; the code inside a template's `${}` is read.
 * @throws {Error} where a string, template, comment or regular expression does not end: better than to misread.
 */
function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  const openBraces: ('brace' | 'template')[] = [];
  let at = 0;
  let line = 1;

  function take(pattern: RegExp, what: string): string {
    pattern.lastIndex = at;
    const text = pattern.exec(source)?.[0];
    if (text === undefined) throw new Error(`layering: line ${line}: expected the end of a ${what}`);
    at += text.length;
    line += text.split('\n').length - 1;
    return text;
  }

  function takeTemplate(): void {
    const text = take(/(?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{)/y, 'template');
    if (text.endsWith('`')) tokens.push({ kind: 'text', value: '', line });
    else {
      openBraces.push('template');
      tokens.push({ kind: 'mark', value: '(', line });
    }
  }

  while (at < source.length) {
    const character = source[at] ?? '';
    const start = line;
    if (/\s/.test(character)) take(/\s+/y, 'space');
    else if (source.startsWith('//', at) || (at === 0 && source.startsWith('#!'))) take(/[^\n]*/y, 'comment');
    else if (source.startsWith('/*', at)) take(/\/\*[\s\S]*?\*\//y, 'comment');
    else if (character === "'" || character === '"') {
      const text = take(character === "'" ? /'(?:[^'\\\n]|\\[\s\S])*'/y : /"(?:[^"\\\n]|\\[\s\S])*"/y, 'string');
      tokens.push({ kind: 'text', value: text.slice(1, -1), line: start });
    } else if (character === '`') {
      at += 1;
      takeTemplate();
    } else if (/[\p{ID_Start}$_#\d]/u.test(character)) {
      tokens.push({ kind: 'word', value: take(/[\p{ID_Continue}$_#]+/uy, 'word'), line });
    } else if (character === '/' && !endsValue(tokens.at(-1))) {
      take(/\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y, 'regular expression');
      tokens.push({ kind: 'text', value: '', line });
    } else {
      at += 1;
      if (character === '{') openBraces.push('brace');
      if (character === '}' && openBraces.pop() === 'template') {
        tokens.push({ kind: 'mark', value: ')', line });
        takeTemplate();
      } else tokens.push({ kind: 'mark', value: character, line });
    }
  }
  return tokens;
}

/** Every module that the source names: static and dynamic imports, re-exports, types, `require`. */
export function readImports(source: string): readonly ModuleImport[] {
  const tokens = tokenize(source);
  const imports: ModuleImport[] = [];
  const isWord = (index: number, value: string) => tokens[index]?.kind === 'word' && tokens[index].value === value;
  const isMark = (index: number, value: string) => tokens[index]?.kind === 'mark' && tokens[index].value === value;

  function add(index: number): void {
    const token = tokens[index];
    imports.push({ specifier: token?.kind === 'text' ? token.value : undefined, line: token?.line ?? 0 });
  }

  for (const [index, token] of tokens.entries()) {
    if (token.kind !== 'word' || isMark(index - 1, '.')) continue;
    const isCall = isMark(index + 1, '(');
    if ((token.value === 'import' || token.value === 'require') && isCall) {
      const isLiteral = tokens[index + 2]?.kind === 'text' && (isMark(index + 3, ')') || isMark(index + 3, ','));
      if (isLiteral) add(index + 2);
      else imports.push({ specifier: undefined, line: token.line });
    } else if (token.value === 'import' && tokens[index + 1]?.kind === 'text') {
      add(index + 1);
    } else if (token.value === 'import' || token.value === 'export') {
      const clause = isWord(index + 1, 'type') ? index + 2 : index + 1;
      const isExportClause = isMark(clause, '*') || isMark(clause, '{');
      if (isMark(clause, '.') || (token.value === 'export' && !isExportClause)) continue;
      // A clause is words, braces, commas and a star: anything else ends a declaration that names no module.
      for (let next = index + 1; next < tokens.length; next += 1) {
        const seen = tokens[next];
        if (isWord(next, 'from') && tokens[next + 1]?.kind === 'text') {
          add(next + 1);
          break;
        }
        if (seen?.kind === 'text' || (seen?.kind === 'mark' && !['{', '}', ',', '*'].includes(seen.value))) break;
        if (isMark(next, '}') && !isWord(next + 1, 'from') && !isMark(next + 1, ',')) break;
      }
    }
  }
  return imports;
}
