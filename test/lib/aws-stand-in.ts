import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

interface StoredObject {
  readonly body: Uint8Array;
  readonly modified: Date;
}

/** As much of AWS as the handlers ask for, over HTTP, so that bundles can be run with the clients that are in them. */
export class AwsStandIn {
  /** By bucket and key, as in a path. */
  readonly objects = new Map<string, StoredObject>();
  readonly touches: string[] = [];
  /** What was announced to ingest. */
  readonly announced: string[] = [];
  /** Names of the metrics that were put. */
  readonly metrics: string[] = [];
  /** Messages that were put on topics. */
  published = 0;
  readonly #rows = new Map<string, Readonly<Record<string, { readonly S?: string; readonly N?: string }>>>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        response.writeHead(500);
        response.end(String(error));
      });
    });
  }

  /** @returns its address. */
  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('expected a port');
    return `http://127.0.0.1:${address.port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    if (String(request.headers['content-type']).startsWith('application/x-www-form-urlencoded')) {
      const action = new URLSearchParams(body.toString()).get('Action');
      if (action !== 'Publish') throw new Error(`expected no call of ${action}`);
      this.published++;
      const result = '<PublishResult><MessageId>m</MessageId></PublishResult>';
      response.setHeader('content-type', 'text/xml').end(`<PublishResponse>${result}</PublishResponse>`);
      return;
    }
    const [, operation] = String(request.headers['x-amz-target'] ?? '').split('.');
    if (operation === undefined || operation === '') this.#answerStorage(request, response, body);
    else {
      response.setHeader('content-type', 'application/x-amz-json-1.0');
      response.end(JSON.stringify(this.#call(operation, JSON.parse(body.toString()))));
    }
  }

  #call(operation: string, input: Input): unknown {
    const rowKey = (row: Row) => `${row.pk?.S}\n${row.sk?.S}`;
    switch (operation) {
      case 'GetItem':
        return { Item: this.#rows.get(rowKey(input.Key ?? {})) };
      case 'PutItem':
        this.#rows.set(rowKey(input.Item ?? {}), input.Item ?? {});
        return {};
      case 'DeleteItem':
        this.#rows.delete(rowKey(input.Key ?? {}));
        return {};
      case 'Query': {
        const [partition] = Object.values(input.ExpressionAttributeValues ?? {});
        const rows = [...this.#rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
        return { Items: rows.filter(({ pk }) => pk?.S === partition?.S) };
      }
      case 'GetSecretValue':
        return { SecretString: 'ab'.repeat(32) };
      case 'SendMessage':
        this.touches.push(input.MessageBody ?? '');
        return {
          MessageId: 'm',
          MD5OfMessageBody: createHash('md5')
            .update(input.MessageBody ?? '')
            .digest('hex'),
        };
      case 'SendMessageBatch':
        this.announced.push(...(input.Entries ?? []).map(({ MessageBody }) => MessageBody));
        return {
          Successful: (input.Entries ?? []).map(({ Id, MessageBody }) => ({
            Id,
            MessageId: Id,
            MD5OfMessageBody: createHash('md5').update(MessageBody).digest('hex'),
          })),
          Failed: [],
        };
      case 'PutMetricData':
        this.metrics.push(...(input.MetricData ?? []).map(({ MetricName }) => MetricName));
        return {};
      case 'GetMetricData':
        return { MetricDataResults: [] };
      case 'DescribeEndpoint':
        return { EndpointConfigName: 'config-1', EndpointStatus: 'InService', LastModifiedTime: 1 };
      case 'DescribeEndpointConfig':
        return { ProductionVariants: [{ VariantName: 'AllTraffic', ModelName: 'credit-1' }] };
      default:
        throw new Error(`expected no call of ${operation}`);
    }
  }

  #answerStorage({ method, url, headers }: IncomingMessage, response: ServerResponse, body: Uint8Array): void {
    const { pathname, searchParams } = new URL(url ?? '', 'http://localhost');
    const name = decodeURIComponent(pathname.slice(1));
    const known = this.objects.get(name);
    if (searchParams.has('list-type')) response.end(this.#list(name.replace(/\/$/, ''), searchParams));
    else if (method === 'PUT' && known && headers['if-none-match'] === '*') response.writeHead(412).end();
    else if (method === 'PUT') {
      this.objects.set(name, { body, modified: new Date() });
      response.setHeader('etag', `"${etagOf(body)}"`).end();
    } else if (!known) response.writeHead(404).end();
    else {
      response.setHeader('etag', `"${etagOf(known.body)}"`).setHeader('last-modified', known.modified.toUTCString());
      response.setHeader('content-length', known.body.length).end(method === 'HEAD' ? undefined : known.body);
    }
  }

  #list(bucket: string, query: URLSearchParams): string {
    const prefix = `${bucket}/${query.get('prefix') ?? ''}`;
    const after = `${bucket}/${query.get('start-after') ?? ''}`;
    const listed = [...this.objects]
      .filter(([name]) => name.startsWith(prefix) && name > after)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(
        ([name, { body, modified }]) =>
          `<Contents><Key>${name.slice(bucket.length + 1)}</Key><Size>${body.length}</Size><LastModified>${modified.toISOString()}</LastModified></Contents>`,
      );
    return `<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated>${listed.join('')}</ListBucketResult>`;
  }
}

type Row = Readonly<Record<string, { readonly S?: string; readonly N?: string }>>;

interface Input {
  readonly Key?: Row;
  readonly Item?: Row;
  readonly ExpressionAttributeValues?: Row;
  readonly MessageBody?: string;
  readonly Entries?: readonly { readonly Id: string; readonly MessageBody: string }[];
  readonly MetricData?: readonly { readonly MetricName: string }[];
}

function etagOf(body: Uint8Array): string {
  return createHash('md5').update(body).digest('hex');
}
