/* Apart from the server, which is known on Nodes that the SDK does not run on. */
import { DynamoDB } from '@aws-sdk/client-dynamodb'

/** A client, to which dynalite is as if it had the time to live, which it does not have: it deletes nothing. */
export function dynamodbOn(endpoint: string): DynamoDB {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const client = new DynamoDB({ endpoint, region: 'eu-central-1', credentials })
  return Object.create(client, { updateTimeToLive: { value: async () => ({}) } })
}
