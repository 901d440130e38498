import { resolveTemplate } from './resolve-template.ts';
import { resourcesOf, type SynthesisedTemplate, statementsOf } from './synthesise.ts';

/** A request to AWS as IAM sees it. */
export interface AwsRequest {
  readonly action: string;
  readonly resource: string;
  /** Condition keys with their values. */
  readonly context: Readonly<Record<string, readonly string[]>>;
}

/** A statement of a role with everything in it resolved. */
export interface Grant {
  readonly effect: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** What is not meant although `resources` says so. */
  readonly excepted: readonly string[];
  readonly conditions: readonly (readonly [operator: string, key: string, values: readonly string[]])[];
}

/** What the role of a function is granted and denied. */
export function grantsOf(templates: ReadonlyMap<string, SynthesisedTemplate>, functionName: string): readonly Grant[] {
  const found = resourcesOf(templates, 'AWS::Lambda::Function').find(
    ({ properties }) => properties.FunctionName === functionName,
  );
  const template = templates.get(found?.stack ?? '');
  const role = JSON.stringify(found?.properties.Role).match(/"Fn::GetAtt":\["(\w+)"/)?.[1];
  if (!template || role === undefined) throw new Error(`expected a function ${functionName} with a role`);
  const attached = statementsOf(templates).filter(
    ({ owner: { stack, type, properties } }) =>
      stack === found?.stack &&
      (type === 'AWS::IAM::Policy' || type === 'AWS::IAM::ManagedPolicy') &&
      JSON.stringify(properties.Roles).includes(`{"Ref":"${role}"}`),
  );
  const resolve = (resource: string) => String(resolveTemplate(JSON.parse(resource), template));
  return attached.map(({ effect, actions, resources, excepted, condition }) => ({
    effect,
    actions,
    resources: resources.map(resolve),
    excepted: excepted.map(resolve),
    conditions: listConditions(resolveTemplate(condition ?? {}, template)),
  }));
}

function listConditions(value: unknown): Grant['conditions'] {
  const operators = Object.entries(value as Record<string, Record<string, string | readonly string[]>>);
  return operators.flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, expected]) => [operator, key, [expected].flat().map(String)] as const),
  );
}

export function isAllowed(grants: readonly Grant[], request: AwsRequest): boolean {
  const matching = grants.filter((grant) => grantMatches(grant, request));
  return matching.some(({ effect }) => effect === 'Allow') && !matching.some(({ effect }) => effect === 'Deny');
}

export function grantMatches(grant: Grant, { action, resource, context }: AwsRequest): boolean {
  return (
    grant.actions.some((pattern) => matchesPattern(action, pattern)) &&
    grant.resources.some((pattern) => matchesPattern(resource, pattern)) &&
    !grant.excepted.some((pattern) => matchesPattern(resource, pattern)) &&
    grant.conditions.every(([operator, key, expected]) => holds(operator, expected, context[key]))
  );
}

function holds(operator: string, expected: readonly string[], seen: readonly string[] | undefined): boolean {
  const [quantifier, comparison = quantifier] = operator.split(':');
  const isOptional = comparison?.endsWith('IfExists') || quantifier === 'ForAllValues';
  if (seen === undefined || seen.length === 0) return isOptional === true;
  const matches = (value: string) =>
    expected.some((pattern) =>
      comparison?.startsWith('StringLike') ? matchesPattern(value, pattern) : value === pattern,
    );
  if (!/^String(Equals|Like)(IfExists)?$/.test(comparison ?? '')) {
    throw new Error(`condition: expected an operator known to the tests, saw ${operator}`);
  }
  return quantifier === 'ForAnyValue' ? seen.some(matches) : seen.every(matches);
}

/** `*` and `?` as IAM has them. */
function matchesPattern(text: string, pattern: string): boolean {
  const source = [...pattern].map((character) => {
    if (character === '*') return '.*';
    return character === '?' ? '.' : character.replace(/[.+^${}()|[\]\\]/, '\\$&');
  });
  return new RegExp(`^${source.join('')}$`, 's').test(text);
}
