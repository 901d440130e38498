import type { Fault } from './door.ts';

/** Answers the first calls of PutMetricData as CloudWatch does where an account calls too often. */
export function throttleMetrics(calls: number, onThrottled: () => void): Fault {
  let left = calls;
  return ({ operation }) => {
    if (operation !== 'PutMetricData' || left === 0) return 'pass';
    left--;
    onThrottled();
    return {
      status: 400,
      headers: { 'content-type': 'application/x-amz-json-1.0' },
      body: '{"__type":"ThrottlingException","message":"Rate exceeded"}',
    };
  };
}
