import { createServer, type ServerResponse } from 'node:http';

/** An endpoint as the stub keeps it. */
interface StubEndpoint {
  config: string;
  pending: string | undefined;
  /** Milliseconds since the epoch. */
  modified: number;
  settlesAt: number;
}

/** A call that the stub answered, and the status it answered with. */
export interface StubCall {
  readonly operation: string;
  readonly endpoint: string;
  readonly config?: string | undefined;
  readonly status: number;
}

export interface SagemakerStub {
  readonly url: string;
  readonly calls: readonly StubCall[];
  /** What functions are given so that their SageMaker client talks to the stub. */
  readonly environment: Readonly<Record<'AWS_ENDPOINT_URL_SAGEMAKER', string>>;
  /** As a person deploys it: at once. */
  deploy(endpoint: string, config: string): void;
  /** The configuration that answers now. */
  configOf(endpoint: string): string | undefined;
  close(): Promise<void>;
}

export interface SagemakerStubOptions {
  /** Of an update, milliseconds. */
  readonly updateMilliseconds: number;
  /** Address to listen at; the emulator's functions may run in containers. */
  readonly host?: string;
}

/**
 * SageMaker as far as a rollback uses it, over HTTP: DescribeEndpoint and UpdateEndpoint in AWS JSON 1.1. An update takes its
 * time, and another one is refused meanwhile.
 */
export async function startSagemakerStub({
  updateMilliseconds,
  host = '127.0.0.1',
}: SagemakerStubOptions): Promise<SagemakerStub> {
  const endpoints = new Map<string, StubEndpoint>();
  const calls: StubCall[] = [];

  const settled = (name: string): StubEndpoint | undefined => {
    const endpoint = endpoints.get(name);
    if (endpoint?.pending !== undefined && Date.now() >= endpoint.settlesAt) {
      endpoint.config = endpoint.pending;
      endpoint.pending = undefined;
      endpoint.modified = endpoint.settlesAt;
    }
    return endpoint;
  };

  const answerCall = (operation: string, request: ReadonlyMap<string, unknown>): readonly [number, object] => {
    const name = String(request.get('EndpointName'));
    const endpoint = settled(name);
    if (!endpoint) return refuse(`Could not find endpoint "${name}".`);
    if (operation === 'DescribeEndpoint') return [200, describe(name, endpoint)];
    if (operation !== 'UpdateEndpoint') return [400, { __type: 'UnknownOperationException' }];
    if (endpoint.pending !== undefined) return refuse(`Cannot update in-progress endpoint "${arnOf(name)}".`);
    endpoint.pending = String(request.get('EndpointConfigName'));
    endpoint.modified = Date.now();
    endpoint.settlesAt = endpoint.modified + updateMilliseconds;
    return [200, { EndpointArn: arnOf(name) }];
  };

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const operation = String(request.headers['x-amz-target'] ?? '').replace(/^SageMaker\./, '');
      const members = new Map<string, unknown>(Object.entries(JSON.parse(Buffer.concat(chunks).toString() || '{}')));
      const [status, body] = answerCall(operation, members);
      const config = members.get('EndpointConfigName');
      calls.push({
        operation,
        endpoint: String(members.get('EndpointName')),
        ...(typeof config === 'string' && { config }),
        status,
      });
      answer(response, status, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const url = `http://${host}:${port}`;
  return {
    url,
    calls,
    environment: { AWS_ENDPOINT_URL_SAGEMAKER: url },
    deploy: (name, config) => {
      endpoints.set(name, { config, pending: undefined, modified: Date.now(), settlesAt: 0 });
    },
    configOf: (name) => settled(name)?.config,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function describe(name: string, { config, pending, modified }: StubEndpoint) {
  return {
    EndpointName: name,
    EndpointArn: arnOf(name),
    EndpointConfigName: config,
    EndpointStatus: pending === undefined ? 'InService' : 'Updating',
    CreationTime: modified / 1000,
    LastModifiedTime: modified / 1000,
    ...(pending !== undefined && { PendingDeploymentSummary: { EndpointConfigName: pending } }),
  };
}

function refuse(message: string): readonly [number, object] {
  return [400, { __type: 'ValidationException', message }];
}

function arnOf(name: string): string {
  return `arn:aws:sagemaker:us-east-1:000000000000:endpoint/${name.toLowerCase()}`;
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
  response.end(JSON.stringify(body));
}
