import { z } from 'zod';
import type { RollbackLever, RollbackPolicy } from '../model/rollback.ts';
import type { ConfigPath, ConfigProblem } from './config-problems.ts';
import { formatPath } from './config-problems.ts';
import type { ParsedModel } from './config-schema.ts';
import { sourcesOf } from './config-sources.ts';
import { day, duration, flag, hour, minute, number, second, strict, text } from './config-values.ts';

/** The levers of a rollback, each with its own function to configure it. */

export const endpointName = text(
  'a SageMaker endpoint name: 1 to 63 letters, digits or "-", not at an end',
  (value) => value.length <= 63 && /^[A-Za-z0-9](-*[A-Za-z0-9])*$/.test(value),
);

const common = {
  dryRun: flag().default(true),
  provenFor: duration(
    'whole minutes from "1h" to "30d"',
    (value) => isWhole(value, minute) && value >= hour && value <= 30 * day,
  ).default(day),
  cooldown: duration(
    'whole minutes from "1h" to "30d"',
    (value) => isWhole(value, minute) && value >= hour && value <= 30 * day,
  ).default(day),
  minimumRecords: number(
    'a whole number from 1 to 1,000,000',
    (value) => Number.isInteger(value) && value >= 1 && value <= 1_000_000,
  ).default(100),
  recoverWithin: duration(
    'whole minutes from "10m" to "7d"',
    (value) => isWhole(value, minute) && value >= 10 * minute && value <= 7 * day,
  ).optional(),
};

const endpoint = { endpoint: endpointName.optional() };
const alias = text(
  'the name of a Lambda alias: 1 to 128 letters, digits, "_" or "-", no number',
  (value) => /^[A-Za-z0-9_-]{1,128}$/.test(value) && !/^\d+$/.test(value),
);
const functionName = text('the name of a Lambda function: 1 to 64 letters, digits, "_" or "-"', (value) =>
  /^[A-Za-z0-9_-]{1,64}$/.test(value),
);
const stateMachine = text('the ARN of a Step Functions state machine', (value) =>
  /^arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:stateMachine:[A-Za-z0-9_-]{1,80}$/.test(value),
);

export const rollbackSchema = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({ kind: z.literal('sagemaker-endpoint'), ...endpoint, ...common }, strict),
    z.strictObject({ kind: z.literal('sagemaker-weights'), ...endpoint, ...common }, strict),
    z.strictObject({ kind: z.literal('lambda-alias'), function: functionName, alias, ...common }, strict),
    z.strictObject({ kind: z.literal('step-functions'), stateMachine, ...endpoint, ...common }, strict),
  ],
  { error: 'sagemakerEndpoint({…}), sagemakerWeights({…}), lambdaAlias({…}) or stepFunctions({…})' },
);

export type RollbackInput = z.input<typeof rollbackSchema>;
type ParsedRollback = z.output<typeof rollbackSchema>;

function isWhole(value: number, unit: number): boolean {
  return value % unit === 0;
}

/** Time for judging the window in which the change was made, and the one after it. */
const judgingMilliseconds = 15 * minute;

export function toRollback(model: ParsedModel, graceSeconds: number): RollbackPolicy | undefined {
  const { rollback } = model;
  if (rollback === undefined) return undefined;
  const { dryRun, provenFor, cooldown, minimumRecords, recoverWithin } = rollback;
  const twoWindows = 2 * model.window + graceSeconds * second + judgingMilliseconds;
  return {
    lever: toLever(rollback, endpointsOf(model)[0] ?? ''),
    dryRun,
    provenSeconds: provenFor / second,
    cooldownSeconds: cooldown / second,
    minimumRecords,
    recoverySeconds: (recoverWithin ?? twoWindows) / second,
  };
}

function toLever(rollback: ParsedRollback, only: string): RollbackLever {
  switch (rollback.kind) {
    case 'lambda-alias':
      return { kind: rollback.kind, functionName: rollback.function, alias: rollback.alias };
    case 'step-functions':
      return { kind: rollback.kind, stateMachine: rollback.stateMachine, endpoint: rollback.endpoint ?? only };
    default:
      return { kind: rollback.kind, endpoint: rollback.endpoint ?? only };
  }
}

/** The endpoint is the one whose captures are judged: of another one the verdicts say nothing. */
export function checkRollback(model: ParsedModel, base: ConfigPath): readonly ConfigProblem[] {
  const { rollback } = model;
  if (rollback === undefined || rollback.kind === 'lambda-alias') return [];
  const endpoints = endpointsOf(model);
  const path = formatPath([...base, 'rollback', 'endpoint']);
  if (rollback.endpoint === undefined && endpoints.length !== 1) {
    return [{ path, message: `saw nothing, expected an endpoint: the source names ${endpoints.length}` }];
  }
  if (rollback.endpoint === undefined || endpoints.includes(rollback.endpoint)) return [];
  const known = endpoints.length === 0 ? 'none' : endpoints.join(', ');
  return [{ path, message: `saw "${rollback.endpoint}", expected an endpoint of the model's source (${known})` }];
}

function endpointsOf(model: ParsedModel): readonly string[] {
  const names = sourcesOf(model).flatMap((source) => (source.kind === 'sagemaker-capture' ? [source.endpoint] : []));
  return [...new Set(names)];
}

/** No two models move one thing: each of them would undo what the other one did. */
export function checkRollbacks(
  models: readonly { readonly model: ParsedModel; readonly path: ConfigPath }[],
): readonly ConfigProblem[] {
  const known = new Map<string, string>();
  return models.flatMap(({ model, path }) => {
    const lever = toRollback(model, 0)?.lever;
    if (!lever) return [];
    const moved = lever.kind === 'lambda-alias' ? `alias ${lever.functionName}:${lever.alias}` : lever.endpoint;
    const other = known.get(moved);
    if (other === undefined) known.set(moved, model.name);
    const message = `saw ${moved}, expected one that ${other} does not roll back`;
    return other === undefined ? [] : [{ path: formatPath([...path, 'rollback']), message }];
  });
}
