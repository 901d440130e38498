import { envNames } from '../../core/contract/env-names.ts';
import { account } from './emulator.ts';
import type { Template, TemplateResource } from './template-values.ts';

/** What this run gives a function beside what its stack does. */
export interface Surroundings {
  /** Its way to the emulator. */
  readonly endpoint: string;
  /** Variables beside: clock, names, endpoints of stubs. */
  readonly variables: Readonly<Record<string, string>>;
}

/** What the emulator's template lacks of the one that AWS would get. */
export interface ProfiledTemplate {
  readonly template: Template;
  /** One sentence per change. */
  readonly changes: readonly string[];
}

/**
 * Takes out of a template what the emulator refuses, switches the actions of its alarms off, which it evaluates by rules
 * of its own, and gives every function surroundings of its own.
 * @param surroundings by handler
 */
export function profileTemplate(full: Template, surroundings: ReadonlyMap<string, Surroundings>): ProfiledTemplate {
  const changes: string[] = [];
  const leftOut = new Set<string>();
  for (const [logicalId, resource] of Object.entries(full.Resources)) {
    const reason = refusal(resource);
    if (reason === undefined) continue;
    leftOut.add(logicalId);
    changes.push(`left out: ${resource.Type} ${nameOf(resource) ?? logicalId} (${reason})`);
  }
  let silenced = 0;
  let led = 0;
  const Resources: Record<string, TemplateResource> = {};
  for (const [logicalId, resource] of Object.entries(full.Resources)) {
    if (leftOut.has(logicalId)) continue;
    const kept = withoutReferences(resource, leftOut);
    if (resource.Type === 'AWS::CloudWatch::Alarm') {
      silenced++;
      Resources[logicalId] = { ...kept, Properties: { ...kept.Properties, ActionsEnabled: false } };
    } else if (resource.Type === 'AWS::Lambda::Function') {
      led++;
      Resources[logicalId] = surround(kept, surroundings, full);
    } else Resources[logicalId] = kept;
  }
  if (led > 0) {
    const names = new Set([...surroundings.values()].flatMap(({ variables }) => Object.keys(variables)));
    changes.push(`AWS_ENDPOINT_URL set: ${led} functions, each by a way where this run can break it`);
    changes.push(`also set, where it is wanted: ${[...names].sort().join(', ')}`);
  }
  if (silenced > 0) changes.push(`actions disabled: ${silenced} metric alarms`);
  const outputs = Object.entries(full.Outputs ?? {}).filter(([, output]) => !refersTo(output, leftOut));
  return { template: { ...full, Resources, Outputs: Object.fromEntries(outputs) }, changes };
}

function refusal({ Type, Properties }: TemplateResource): string | undefined {
  if (Type === 'AWS::CloudWatch::CompositeAlarm') return 'the emulator has no composite alarms in CloudFormation';
  if (Type === 'AWS::CloudWatch::Alarm' && Properties?.Metrics !== undefined) {
    return 'the emulator has no metric math';
  }
  return undefined;
}

/** @throws {Error} for a function that this run does not know. */
function surround(
  resource: TemplateResource,
  surroundings: ReadonlyMap<string, Surroundings>,
  { Resources }: Template,
): TemplateResource {
  const environment = membersOf(resource.Properties?.Environment);
  const variables = membersOf(environment.Variables);
  const service = String(variables[envNames.serviceName] ?? '');
  const given = surroundings.get(service.replace(/^tidewatch-/, ''));
  if (given === undefined) {
    throw new Error(`emulator profile: expected a function known to this run, saw "${service}"`);
  }
  const AWS_ENDPOINT_URL = given.endpoint;
  // The SDK sends a message to its queue's URL, whatever the endpoint.
  const led = Object.entries(variables).flatMap(([name, value]) => {
    const queue = Resources[String(membersOf(value).Ref)];
    if (queue?.Type !== 'AWS::SQS::Queue') return [];
    return [[name, `${AWS_ENDPOINT_URL}/${account}/${String(queue.Properties?.QueueName)}`] as const];
  });
  const Variables = { ...variables, ...Object.fromEntries(led), AWS_ENDPOINT_URL, ...given.variables };
  const Environment = { ...environment, Variables };
  return { ...resource, Properties: { ...resource.Properties, Environment } };
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function nameOf({ Properties }: TemplateResource): string | undefined {
  const name = Properties?.AlarmName;
  return typeof name === 'string' ? name : undefined;
}

/** @throws {Error} where a property needs what was left out: then the profile has to say what stands in for it. */
function withoutReferences(resource: TemplateResource, leftOut: ReadonlySet<string>): TemplateResource {
  const { DependsOn, ...rest } = resource;
  const depends = (Array.isArray(DependsOn) ? DependsOn : DependsOn === undefined ? [] : [DependsOn]).filter(
    (logicalId) => !leftOut.has(logicalId),
  );
  if (refersTo(rest, leftOut)) {
    throw new Error(`emulator profile: a ${resource.Type} refers to a resource that is left out`);
  }
  return depends.length > 0 ? { ...rest, DependsOn: depends } : rest;
}

function refersTo(value: unknown, logicalIds: ReadonlySet<string>): boolean {
  if (Array.isArray(value)) return value.some((item) => refersTo(item, logicalIds));
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, item]) => {
    if (key === 'Ref') return logicalIds.has(String(item));
    if (key === 'Fn::GetAtt') return logicalIds.has(String(Array.isArray(item) ? item[0] : item).split('.')[0] ?? '');
    if (key === 'Fn::Sub') {
      const text = String(Array.isArray(item) ? item[0] : item);
      if ([...logicalIds].some((logicalId) => text.includes(`\${${logicalId}`))) return true;
    }
    return refersTo(item, logicalIds);
  });
}
