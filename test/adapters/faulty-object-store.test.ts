import { expect, test } from 'vitest';
import { FileObjectStore } from '../../adapters/local/file-object-store.ts';
import { FaultyObjectStore, InjectedFaultError, type StoreFault } from './faulty-object-store.ts';
import { temporaryDirectory } from './temporary-directory.ts';

test('a fault persists or not, as it says, and a retry succeeds', async () => {
  const store = new FileObjectStore(temporaryDirectory());
  const faults: StoreFault[] = ['not-persisted', 'persisted-but-error'];
  const faulty = new FaultyObjectStore(store, () => faults.shift() ?? 'none');
  const body = Buffer.from('x');
  await expect(faulty.putOnce('a', body)).rejects.toThrow(InjectedFaultError);
  expect(await store.get('a')).toBeUndefined();
  await expect(faulty.putOnce('a', body)).rejects.toThrow(InjectedFaultError);
  expect(await store.get('a')).toEqual(body);
  expect(await faulty.putOnce('a', body)).toBe('same');
});

test('reads fail too', async () => {
  const store = new FileObjectStore(temporaryDirectory());
  const faulty = new FaultyObjectStore(store, (operation) => (operation === 'putOnce' ? 'none' : 'not-persisted'));
  await expect(faulty.get('a')).rejects.toThrow(InjectedFaultError);
  await expect(faulty.list('').next()).rejects.toThrow(InjectedFaultError);
});
