import { z } from 'zod';
import { unavailableMessage } from './config-problems.ts';
import { type DurationText, parseDuration } from './duration.ts';

/** Kinds of values that the configuration's schema is made of. Each says in its error what is expected. */

export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

const refusals = new WeakSet<z.ZodType>();

/** An option of a later version: known by name, refused when given. */
export function unavailable(option: string, reason: string) {
  const schema = z
    .unknown()
    .refine((value) => value === undefined, { error: unavailableMessage(option, reason) })
    .optional();
  refusals.add(schema);
  return schema;
}

/** Messages of a strict object: what it should be, or the keys it may have. */
export const strict = {
  error: (issue: z.core.$ZodRawIssue): string => {
    if (issue.code !== 'unrecognized_keys' || !(issue.inst instanceof z.ZodObject)) return 'an object';
    return Object.entries(issue.inst.shape)
      .filter(([, schema]) => !(schema instanceof z.ZodType && refusals.has(schema)))
      .map(([key]) => key)
      .join(', ');
  },
};

export function text(expected: string, accepts: (value: string) => boolean) {
  return z.string({ error: expected }).refine(accepts, { error: expected });
}

export function number(expected: string, accepts: (value: number) => boolean) {
  return z.number({ error: expected }).refine(accepts, { error: expected });
}

export function flag() {
  return z.boolean({ error: 'true or false' });
}

/** Text with a unit in, milliseconds out. */
export function duration(expected: string, accepts: (milliseconds: number) => boolean) {
  return z
    .custom<DurationText>(
      (value) => {
        const milliseconds = typeof value === 'string' ? parseDuration(value) : undefined;
        return milliseconds !== undefined && accepts(milliseconds);
      },
      { error: expected },
    )
    .transform((value) => parseDuration(value) ?? 0);
}

export function isPrintable(value: string): boolean {
  return value.isWellFormed() && !/\p{C}/u.test(value);
}

export function name(what: string, maximumLength: number) {
  return text(
    `${what} of 1 to ${maximumLength} letters, digits, ".", "_" or "-", beginning with a letter or digit`,
    (value) => value.length <= maximumLength && /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(value),
  );
}
