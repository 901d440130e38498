import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** A request of a function to an AWS service, as far as a fault has to know it. */
export interface ServiceRequest {
  /** `PUT`, `GET`, … of S3; else the operation: `PutItem`, `Publish`, `PutMetricData`. */
  readonly operation: string;
  readonly path: string;
  /** Decompressed; binary protocols carry their texts readably. */
  readonly body: string;
}

/**
 * What becomes of a request: let through, answered in the service's place, or let through and, where it succeeded, not
 * answered before something else has happened, and then not at all.
 */
export type Fate =
  | 'pass'
  | { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }
  | { readonly afterSuccess: () => Promise<unknown> };

export type Fault = (request: ServiceRequest) => Fate;

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * The way of one function to the emulator: a loopback server that passes every request on as it is, until a fault is
 * set. So a call can be throttled, or a function be killed right after a write, without a change to its code.
 */
export class Door {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #fault: Fault | undefined;

  private constructor(server: Server, emulatorPort: number) {
    this.#server = server;
    const { port } = server.address() as AddressInfo;
    this.url = `http://127.0.0.1:${port}`;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (incoming: IncomingMessage, outgoing) => {
      this.#handle(incoming, emulatorPort).then(
        (answer) => {
          // Undefined: nobody is left to be answered.
          if (answer) outgoing.writeHead(answer.status, answer.headers).end(answer.body);
          else outgoing.destroy();
        },
        () => outgoing.destroy(),
      );
    });
  }

  static async open(emulatorPort: number): Promise<Door> {
    const server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0 });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return new Door(server, emulatorPort);
  }

  /** Every request is shown to the fault until another one is set, or none. */
  set fault(fault: Fault | undefined) {
    this.#fault = fault;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #handle(incoming: IncomingMessage, emulatorPort: number): Promise<Answer | undefined> {
    const body = await collect(incoming);
    const fate = this.#fault?.(describe(incoming, body)) ?? 'pass';
    if (fate !== 'pass' && 'status' in fate) {
      return { status: fate.status, headers: { ...fate.headers }, body: Buffer.from(fate.body) };
    }
    const answer = await forward(incoming, body, emulatorPort);
    if (fate === 'pass' || answer.status >= 300) return answer;
    await fate.afterSuccess();
    return undefined;
  }
}

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function forward(incoming: IncomingMessage, body: Buffer, port: number): Promise<Answer> {
  const { expect: _expect, 'transfer-encoding': _encoding, connection: _connection, ...headers } = incoming.headers;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        method: incoming.method,
        path: incoming.url,
        headers: { ...headers, 'content-length': body.length },
        agent: false,
      },
      (response) => {
        const { 'transfer-encoding': _chunked, connection: _kept, ...answered } = response.headers;
        collect(response).then(
          (content) => resolve({ status: response.statusCode ?? 502, headers: answered, body: content }),
          reject,
        );
      },
    );
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

function describe({ method = '', url = '', headers }: IncomingMessage, body: Buffer): ServiceRequest {
  const text = (headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString('latin1');
  const target = headers['x-amz-target'];
  const operation =
    (typeof target === 'string' ? target.split('.').at(-1) : undefined) ??
    /\/operation\/(\w+)$/.exec(url)?.[1] ??
    /(?:^|&)Action=(\w+)/.exec(text)?.[1] ??
    method;
  return { operation, path: url, body: text };
}
