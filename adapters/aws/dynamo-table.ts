import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { rowLifeSeconds, tableAttributes } from '../../core/contract/env-names.ts';
import type { StateRow, StateTable } from '../../core/pipeline/ports.ts';

const { partitionKey, sortKey, value: valueName, revision: revisionName, expires } = tableAttributes;
const names = { '#revision': revisionName, '#partition': partitionKey } as const;

/** Small rows changed by compare-and-swap, read consistently. Values are JSON text: at most 400 kB with their keys. */
export class DynamoTable implements StateTable {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async get(partition: string, key: string): Promise<StateRow | undefined> {
    const { Item } = await this.#client.send(
      new GetItemCommand({ TableName: this.#table, Key: keyOf(partition, key), ConsistentRead: true }),
    );
    return Item && rowOf(Item);
  }

  /**
   * A retried request whose first answer was lost finds its own change and gives false; callers read again and find
   * what they wrote.
   */
  async put(partition: string, key: string, value: unknown, expectedRevision: number): Promise<boolean> {
    if (!Number.isSafeInteger(expectedRevision) || expectedRevision < 0) {
      throw new RangeError(`state row: expected a revision of 0 or more, saw ${expectedRevision}`);
    }
    const text: string | undefined = JSON.stringify(value);
    if (text === undefined) throw new TypeError(`state row ${key}: expected a JSON value, saw ${typeof value}`);
    const isNew = expectedRevision === 0;
    const life = rowLifeSeconds.get(partition);
    try {
      await this.#client.send(
        new PutItemCommand({
          TableName: this.#table,
          Item: {
            ...keyOf(partition, key),
            [valueName]: { S: text },
            [revisionName]: { N: String(expectedRevision + 1) },
            ...(life !== undefined && { [expires]: { N: String(Math.floor(Date.now() / 1000) + life) } }),
          },
          ConditionExpression: isNew ? 'attribute_not_exists(#partition)' : '#revision = :expected',
          ExpressionAttributeNames: isNew ? { '#partition': names['#partition'] } : { '#revision': names['#revision'] },
          ExpressionAttributeValues: isNew ? undefined : { ':expected': { N: String(expectedRevision) } },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  async list(partition: string): Promise<readonly { readonly key: string; readonly row: StateRow }[]> {
    const rows: { readonly key: string; readonly row: StateRow }[] = [];
    let from: Record<string, AttributeValue> | undefined;
    do {
      const page = await this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          KeyConditionExpression: '#partition = :partition',
          ExpressionAttributeNames: { '#partition': names['#partition'] },
          ExpressionAttributeValues: { ':partition': { S: partition } },
          ConsistentRead: true,
          ExclusiveStartKey: from,
        }),
      );
      for (const item of page.Items ?? []) rows.push({ key: readText(item, sortKey), row: rowOf(item) });
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
    return rows;
  }

  async remove(partition: string, key: string): Promise<void> {
    await this.#client.send(new DeleteItemCommand({ TableName: this.#table, Key: keyOf(partition, key) }));
  }
}

function keyOf(partition: string, key: string): Record<string, AttributeValue> {
  return { [partitionKey]: { S: partition }, [sortKey]: { S: key } };
}

function rowOf(item: Record<string, AttributeValue>): StateRow {
  const revision = Number(item[revisionName]?.N);
  if (!Number.isSafeInteger(revision) || revision < 1) {
    throw new TypeError(
      `state row ${readText(item, sortKey)}: expected a revision of 1 or more, saw ${String(item[revisionName]?.N)}`,
    );
  }
  return { value: JSON.parse(readText(item, valueName)), revision };
}

function readText(item: Record<string, AttributeValue>, name: string): string {
  const text = item[name]?.S;
  if (text === undefined) throw new TypeError(`state row: expected text in attribute ${name}, saw none`);
  return text;
}
