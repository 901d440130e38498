/** Text from outside with control characters made visible: a name must not move the cursor or colour the screen. */
export function makePrintable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{fffd}');
}
