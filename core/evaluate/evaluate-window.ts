import type { Verdict } from '../model/verdict.ts';
import { judgeAlone } from './judge-alone.ts';
import { judgeInContext } from './judge-in-context.ts';
import { composeVerdict, contextOf, type WindowInput } from './window-verdict.ts';

/**
 * Judges a window: compares every feature with the baseline, applies the rule that controls false alarms over all of
 * them, and says in findings what a person should know. Pure: the same input gives the same verdict, byte for byte.
 */
export function evaluateWindow(input: WindowInput): Verdict {
  return composeVerdict(input, contextOf(input) ? judgeInContext : judgeAlone).verdict;
}
