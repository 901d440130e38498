/**
 * Environment variables of the Lambda functions. The stacks set them, the handlers read them; physical names travel this
 * way only.
 */
export const envNames = {
  /** Name of the bucket of fragments, profiles, verdicts, quarantine reports and the hash list. */
  stateBucket: 'TIDEWATCH_STATE_BUCKET',
  /** Name of the bucket with Object Lock that holds the evidence. */
  auditBucket: 'TIDEWATCH_AUDIT_BUCKET',
  /** Name of the table of state changed by compare-and-swap. */
  table: 'TIDEWATCH_TABLE',
  /** URL of the queue of capture events, for whoever takes them from it. */
  ingestQueueUrl: 'TIDEWATCH_INGEST_QUEUE_URL',
  /** URL of the queue of windows to be judged again. */
  touchQueueUrl: 'TIDEWATCH_TOUCH_QUEUE_URL',
  /** ARN of the secret the evidence keys are derived from. */
  evidenceSecretArn: 'TIDEWATCH_EVIDENCE_SECRET_ARN',
  /** ARN of the delivery topic people subscribe to for yellow. */
  yellowTopicArn: 'TIDEWATCH_TOPIC_YELLOW_ARN',
  /** ARN of the delivery topic people subscribe to for red. */
  redTopicArn: 'TIDEWATCH_TOPIC_RED_ARN',
  /** ARNs of the topics that CloudWatch's alarms go to. */
  yellowAlarmTopicArn: 'TIDEWATCH_ALARM_TOPIC_YELLOW_ARN',
  redAlarmTopicArn: 'TIDEWATCH_ALARM_TOPIC_RED_ARN',
  /** ARNs of the topics that only the function behind pagers, chats and webhooks listens to. */
  yellowDeliverTopicArn: 'TIDEWATCH_DELIVER_TOPIC_YELLOW_ARN',
  redDeliverTopicArn: 'TIDEWATCH_DELIVER_TOPIC_RED_ARN',
  /** URL of the queue of messages to pagers, chats and webhooks, and of its dead-letter queue. */
  deliverQueueUrl: 'TIDEWATCH_DELIVER_QUEUE_URL',
  deliverDeadLetterQueueUrl: 'TIDEWATCH_DELIVER_DEAD_LETTER_QUEUE_URL',
  /** Name of the shard whose models a function works for. */
  shard: 'TIDEWATCH_SHARD',
  /** Names of all shards, separated by commas. */
  shards: 'TIDEWATCH_SHARDS',
  /** Version and hash of the build; goes with every verdict. */
  code: 'TIDEWATCH_CODE',
  /** `service` of every log line. */
  serviceName: 'POWERTOOLS_SERVICE_NAME',
  /** Least level of the log lines that are written. */
  logLevel: 'POWERTOOLS_LOG_LEVEL',
} as const;

/**
 * DynamoDB removes rows of these partitions this long after they were last changed. What a contact was told of an incident
 * must outlive the incident, or its end would be told as a beginning as well.
 */
export const rowLifeSeconds: ReadonlyMap<string, number> = new Map([['deliveries', 400 * 86_400]]);

/** Attributes of a row of the state table. */
export const tableAttributes = {
  partitionKey: 'pk',
  sortKey: 'sk',
  value: 'value',
  revision: 'revision',
  /** Seconds since the epoch after which DynamoDB removes the row. */
  expires: 'expires',
} as const;

/**
 * Where a Lambda asset keeps the configuration, relative to the bundled handler's file. A policy names its baselines by
 * these paths.
 */
export const configAssets = {
  fleet: 'config/fleet.json',
  modelFolder: 'config/models',
  baselineFolder: 'config/baselines',
} as const;

/**
 * The input of each schedule's target. The handlers take these, and also the plain event of an EventBridge schedule
 * (`detail-type` `Scheduled Event`).
 */
export const scheduleInputs = {
  /** evaluate, every minute. */
  tick: { schedule: 'tick' },
  /** sweep, every hour. */
  sweep: { schedule: 'sweep' },
  /** notify, every minute. */
  overdue: { schedule: 'overdue' },
  /** rollback, every minute. */
  rollback: { schedule: 'rollback' },
  /** endpoints, every minute. */
  endpoints: { schedule: 'endpoints' },
} as const;

/** `schema` of a message by which the sweep announces a capture object, on the queue that also takes S3's events. */
export const announcementSchema = 'tidewatch.announcement/1';

/** What an event bus gets of each message: `detail` has the full JSON as this member. */
export const busEvent = { source: 'tidewatch', detailType: 'Tidewatch alert', member: 'alert' } as const;

/** EventBridge's event of an endpoint that began or ended to change. */
export const endpointEvent = { source: 'aws.sagemaker', detailType: 'SageMaker Endpoint State Change' } as const;
