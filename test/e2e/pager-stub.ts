import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

/** A request that the pager got, and what it answered. */
export interface PagerCall {
  readonly action: string;
  readonly key: string;
  readonly routingKey: string;
  readonly summary: string;
  readonly status: number;
}

export interface PagerStub {
  readonly calls: readonly PagerCall[];
  /** What functions are given so that the pager's name leads to the stub, and its certificate is believed. */
  readonly environment: Readonly<Record<string, string>>;
  /** Answers of the next requests, in their order; after them all are taken. */
  answerNext(...statuses: readonly number[]): void;
  /** Every request is answered with it until it is undefined. */
  answerAll(status: number | undefined): void;
  close(): void;
}

const host = 'events.pagerduty.com';
/** Of the public internet, or the function refuses to connect. Nothing is sent there: the connection ends at the stub. */
const address = '8.8.8.8';
const tls = (name: string) => fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url));

/** PagerDuty's Events API v2 as far as Tidewatch uses it, by https under its own name. */
export async function startPagerStub(): Promise<PagerStub> {
  const calls: PagerCall[] = [];
  const next: number[] = [];
  let always: number | undefined;
  const options = { key: readFileSync(tls('pager-key.pem')), cert: readFileSync(tls('pager-cert.pem')) };
  const server = createServer(options, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const event: PagerEvent = JSON.parse(Buffer.concat(chunks).toString('utf8'));
      const isKnown = request.method === 'POST' && request.url === '/v2/enqueue' && request.headers.host === host;
      const status = isKnown ? (always ?? next.shift() ?? 202) : 404;
      calls.push({
        action: event.event_action ?? '',
        key: event.dedup_key ?? '',
        routingKey: event.routing_key ?? '',
        summary: event.payload?.summary ?? '',
        status,
      });
      response.writeHead(status, { 'content-type': 'application/json' }).end('{"status":"said by the stub"}');
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    calls,
    environment: {
      NODE_EXTRA_CA_CERTS: tls('pager-cert.pem'),
      TIDEWATCH_E2E_ROUTES: JSON.stringify([{ host, address, port }]),
    },
    answerNext: (...statuses) => {
      next.push(...statuses);
    },
    answerAll: (status) => {
      always = status;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

interface PagerEvent {
  readonly event_action?: string;
  readonly dedup_key?: string;
  readonly routing_key?: string;
  readonly payload?: { readonly summary?: string };
}
