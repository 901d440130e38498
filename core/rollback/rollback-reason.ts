import type { RollbackRefusal } from './decide-rollback.ts';

/** Why a rollback came to nothing, or was not begun. */
export type RollbackReason =
  | RollbackRefusal
  | 'other-target'
  | 'attempts-used-up'
  | 'changed-meanwhile'
  | 'update-failed'
  | 'update-given-up'
  | 'update-takes-too-long';

/** What people read. */
const words: Readonly<Record<RollbackReason, string>> = {
  'no-incident': 'the incident is no longer red',
  'done-in-episode': 'something was done in this incident already',
  cooldown: 'the last rollback is too short a time ago',
  'not-ready': 'what answers is being changed, or has not been seen to answer alone',
  'not-judged-red': 'no verdict in force is red for a reason that a rollback answers to',
  'other-incident': 'what is red is not what people were told of in this incident',
  stale: 'the red verdict is too old',
  'too-few-records': 'the red finding rests on too few requests or records',
  'other-version-judged': 'what is red began before what answers now, or is not known to be its own',
  'no-known-good': 'nothing that answered before is known to be good',
  'other-target': 'what answers, or what would be brought back, is another configuration than was intended',
  'attempts-used-up': 'the service was asked as often as is allowed, and took it none of the times',
  'changed-meanwhile': 'somebody or something else changed what answers',
  'update-failed': 'the endpoint says that its update has failed',
  'update-given-up': 'the update is over, and what answered before it answers still',
  'update-takes-too-long': 'the update did not come to its end within an hour',
};

const wordsOf: ReadonlyMap<string, string> = new Map(Object.entries(words));

/** A reason in words, and by its code, which log and evidence give. One that an older version has written is told as it is. */
export function describeReason(reason: string): string {
  const text = wordsOf.get(reason);
  return text === undefined ? reason : `${text} (${reason})`;
}
