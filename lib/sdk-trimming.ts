/** Manifests of the AWS SDK's clients: each client carries its own and reads nothing but the version of it. */
export const manifestFiles = /[\\/]@aws-sdk[\\/]client-[^\\/]+[\\/]package\.json$/;

export function trimManifest(text: string): string {
  const { version }: { version: string } = JSON.parse(text);
  return JSON.stringify({ version });
}

/** What reads and writes streams of events, as S3 Select answers and nothing that is called here. */
export const eventStreamFiles = /[\\/]@smithy[\\/]core[\\/]dist-es[\\/]submodules[\\/]event-streams[\\/]index\.js$/;

/** Stands in for it: S3's client takes it into its settings, and would call it for such an operation only. */
export const noEventStreams = `
export const resolveEventStreamSerdeConfig = (settings) => settings;
export const eventStreamSerdeProvider = () => { throw new Error('streams of events were left out of this bundle'); };
export const EventStreamSerde = eventStreamSerdeProvider;
`;

/** What keeps addresses that a service was asked for. DynamoDB's client makes one and asks for none. */
export const endpointCacheFiles = /[\\/]@aws-sdk[\\/]endpoint-cache[\\/]dist-es[\\/]index\.js$/;

/** Stands in for it. */
export const noEndpointCache = 'export class EndpointCache {}';

/** What fills values into the messages of errors that wrong arguments to a function of @stdlib give. */
export const messageFormatFiles = /[\\/]@stdlib[\\/]string-format[\\/]lib[\\/]index\.js$/;

/** Stands in for it: the message with the places unfilled. */
export const noMessageFormat = 'module.exports = (text) => text;';
