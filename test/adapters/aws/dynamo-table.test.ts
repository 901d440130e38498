import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, expect, test } from 'vitest';
import { DynamoTable } from '../../../adapters/aws/dynamo-table.ts';
import { tableAttributes } from '../../../core/contract/env-names.ts';

const dynamo = mockClient(DynamoDBClient);
const table = new DynamoTable(new DynamoDBClient({ region: 'eu-west-1' }), 'state');

beforeEach(() => void dynamo.reset());

function item(key: string, value: unknown, revision: string) {
  return { pk: { S: 'p' }, sk: { S: key }, value: { S: JSON.stringify(value) }, revision: { N: revision } };
}

test('reads consistently', async () => {
  dynamo
    .on(GetItemCommand)
    .resolvesOnce({ Item: item('k', { a: [1] }, '3') })
    .resolves({});
  expect(await table.get('p', 'k')).toEqual({ value: { a: [1] }, revision: 3 });
  expect(await table.get('p', 'k')).toBeUndefined();
  expect(dynamo.commandCalls(GetItemCommand)[0]?.args[0].input).toEqual({
    TableName: 'state',
    Key: { pk: { S: 'p' }, sk: { S: 'k' } },
    ConsistentRead: true,
  });
});

test('a new row is written where there is none', async () => {
  dynamo.on(PutItemCommand).resolves({});
  expect(await table.put('p', 'k', { a: 1 }, 0)).toBe(true);
  expect(dynamo.commandCalls(PutItemCommand)[0]?.args[0].input).toMatchObject({
    Item: item('k', { a: 1 }, '1'),
    ConditionExpression: 'attribute_not_exists(#partition)',
  });
});

test('rows of what was delivered expire long after any incident; no other row does', async () => {
  dynamo.on(PutItemCommand).resolves({});
  for (const partition of ['deliveries', 'episodes', 'rollbacks', 'models', 'alert-path', 'series#credit']) {
    await table.put(partition, 'k', 1, 0);
  }
  const written = dynamo.commandCalls(PutItemCommand).map(({ args }) => args[0].input.Item ?? {});
  const expiring = written.filter((row) => row[tableAttributes.expires] !== undefined);
  expect(expiring.map((row) => row.pk)).toEqual([{ S: 'deliveries' }]);
  const days = (Number(expiring[0]?.expires?.N) - Date.now() / 1000) / 86_400;
  expect(days).toBeGreaterThan(399);
  expect(days).toBeLessThan(401);
});

test('a known row is written at its revision only', async () => {
  dynamo.on(PutItemCommand).resolves({});
  expect(await table.put('p', 'k', null, 7)).toBe(true);
  expect(dynamo.commandCalls(PutItemCommand)[0]?.args[0].input).toMatchObject({
    Item: item('k', null, '8'),
    ConditionExpression: '#revision = :expected',
    ExpressionAttributeNames: { '#revision': 'revision' },
    ExpressionAttributeValues: { ':expected': { N: '7' } },
  });
});

test('who comes second is told so; any other refusal is an error', async () => {
  const second = new ConditionalCheckFailedException({ message: 'no', $metadata: { httpStatusCode: 400 } });
  dynamo.on(PutItemCommand).rejectsOnce(second).rejects(new Error('item size has exceeded'));
  expect(await table.put('p', 'k', 1, 4)).toBe(false);
  await expect(table.put('p', 'k', 1, 4)).rejects.toThrow('item size');
});

test('what is no JSON or no revision is refused before it is sent', async () => {
  await expect(table.put('p', 'k', undefined, 0)).rejects.toThrow(TypeError);
  await expect(table.put('p', 'k', 1, -1)).rejects.toThrow(RangeError);
  expect(dynamo.calls()).toHaveLength(0);
});

test('lists every page of a partition, consistently', async () => {
  const last = { pk: { S: 'p' }, sk: { S: 'a' } };
  dynamo
    .on(QueryCommand)
    .resolvesOnce({ Items: [item('a', 1, '1')], LastEvaluatedKey: last })
    .resolvesOnce({ Items: [item('b', 2, '5')] });
  expect(await table.list('p')).toEqual([
    { key: 'a', row: { value: 1, revision: 1 } },
    { key: 'b', row: { value: 2, revision: 5 } },
  ]);
  const inputs = dynamo.commandCalls(QueryCommand).map(({ args }) => args[0].input);
  expect(inputs.map(({ ExclusiveStartKey }) => ExclusiveStartKey)).toEqual([undefined, last]);
  expect(inputs.every(({ ConsistentRead }) => ConsistentRead)).toBe(true);
});

test('a row that someone else wrote in another form is an error that names it', async () => {
  dynamo.on(GetItemCommand).resolves({ Item: { ...item('k', 1, '1'), revision: { N: 'x' } } });
  await expect(table.get('p', 'k')).rejects.toThrow('state row k: expected a revision');
  dynamo.on(GetItemCommand).resolves({ Item: { pk: { S: 'p' }, sk: { S: 'k' }, revision: { N: '1' } } });
  await expect(table.get('p', 'k')).rejects.toThrow('attribute value');
});

test('removes a row', async () => {
  dynamo.on(DeleteItemCommand).resolves({});
  await table.remove('p', 'k');
  expect(dynamo.commandCalls(DeleteItemCommand)[0]?.args[0].input).toEqual({
    TableName: 'state',
    Key: { pk: { S: 'p' }, sk: { S: 'k' } },
  });
});
