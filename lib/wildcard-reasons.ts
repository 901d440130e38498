import { Stack, Validations } from 'aws-cdk-lib';
import { Effect, type PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';

/** Why a resource with a wildcard in it is as narrow as it can be. The first that matches holds. */
const reasons: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [
    /^\*$/,
    'X-Ray, PutMetricData and GetMetricData know no resources. PutMetricData is bound to the namespace Tidewatch by a condition.',
  ],
  [/:s3:::.+\/.*\*$/, 'Objects under one fixed prefix: their names hold windows and hashes that nobody knows before.'],
  [/:kms:.+:key\/\*$/, 'One key, named by its alias in a condition, and only by way of the services that use it.'],
  [
    /:sagemaker:.+:endpoint\/\*$/,
    'To be described: in large fleets the names do not fit into what IAM takes of a role.',
  ],
  [
    /:sagemaker:.+:endpoint-config\/\*$/,
    'Configurations are made after this template, to be described or gone back to. UpdateEndpoint names the endpoint as well, and of those only the ones configured.',
  ],
  [/:secretsmanager:.+-\?{6}$/, 'One secret: Secrets Manager ends its ARN with six random characters.'],
];

/** Acknowledges each wildcard of a role's statements by itself, so that a new one is found. */
export function acknowledgeWildcards(scope: Construct, statements: readonly PolicyStatement[]): void {
  const resources = statements
    .filter(({ effect }) => effect === Effect.ALLOW)
    .flatMap((statement) => statement.resources.map((resource) => nameResource(scope, resource)));
  for (const resource of new Set(resources)) {
    const reason = reasons.find(([pattern]) => pattern.test(resource))?.[1];
    if (reason === undefined) continue;
    Validations.of(scope).acknowledge({ id: `AwsSolutions-IAM5[Resource::${resource}]`, reason });
  }
}

/** A resource as the checker writes it: `arn:<AWS::Partition>:s3:::bucket/prefix/*`. */
function nameResource(scope: Construct, resource: string): string {
  const resolved: unknown = Stack.of(scope).resolve(resource);
  if (typeof resolved === 'string') return resolved;
  const joined =
    typeof resolved === 'object' && resolved !== null && 'Fn::Join' in resolved ? resolved['Fn::Join'] : [];
  const parts: unknown = Array.isArray(joined) ? joined[1] : [];
  if (!Array.isArray(parts)) return '';
  return parts
    .map((part: unknown) => {
      if (typeof part === 'string') return part;
      return typeof part === 'object' && part !== null && 'Ref' in part ? `<${String(part.Ref)}>` : '';
    })
    .join('');
}
