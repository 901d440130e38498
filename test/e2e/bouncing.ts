import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfirmSubscriptionCommand, SubscribeCommand } from '@aws-sdk/client-sns';
import { DeleteQueueCommand, GetQueueUrlCommand } from '@aws-sdk/client-sqs';
import type { Aws } from './aws.ts';
import { goneInbox } from './fleet.ts';
import { waitFor } from './report.ts';

/** An endpoint that answers every message with 500. */
export interface RefusingEndpoint {
  readonly refused: () => number;
  readonly close: () => void;
}

/** Deletes a queue that is subscribed, and subscribes an endpoint that refuses everything. */
export async function breakSubscribers(aws: Aws, TopicArn: string): Promise<RefusingEndpoint> {
  const { QueueUrl } = await aws.sqs.send(new GetQueueUrlCommand({ QueueName: goneInbox }));
  await aws.sqs.send(new DeleteQueueCommand({ QueueUrl }));
  let token: string | undefined;
  let refused = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const message: { Type?: string; Token?: string } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
      if (message.Type === 'SubscriptionConfirmation') {
        token = message.Token;
        response.writeHead(200).end();
      } else {
        refused++;
        response.writeHead(500).end();
      }
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  try {
    await aws.sns.send(new SubscribeCommand({ TopicArn, Protocol: 'http', Endpoint: `http://127.0.0.1:${port}/` }));
    const Token = await waitFor('the endpoint to be asked for its confirmation', 30, async () => token);
    await aws.sns.send(new ConfirmSubscriptionCommand({ TopicArn, Token }));
  } catch (error) {
    close();
    throw error;
  }
  return { refused: () => refused, close };
}
