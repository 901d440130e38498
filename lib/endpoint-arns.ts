import { Aws } from 'aws-cdk-lib';

/** SageMaker writes names in ARNs in lower case, and its events may not. */
export function endpointArns(endpoint: string): readonly string[] {
  return [...new Set([endpoint.toLowerCase(), endpoint])].map((name) => localArn('sagemaker', `endpoint/${name}`));
}

/** Of this account and region. */
export function localArn(service: string, resource: string): string {
  return `arn:${Aws.PARTITION}:${service}:${Aws.REGION}:${Aws.ACCOUNT_ID}:${resource}`;
}
