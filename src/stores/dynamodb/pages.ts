import type { Row } from '../rows.ts'
import { decodeName, encodeName } from '../sql/names.ts'
import type { DynamodbClient, Found, Item } from './client.ts'
import { numberIn, recordIn, rowIn, text, textIn } from './item.ts'

/** The sessions and tombstones of `table` that have not expired, from behind the one that is called `from`, if any. */
export async function* pagesOf(
  client: DynamodbClient,
  table: string,
  prefix: string,
  now: () => number,
  batch: number,
  from?: string,
): AsyncIterable<readonly Row[]> {
  const isReadable = (found: Found) => recordIn(found) !== undefined && numberIn(found, 'e') > now()
  let last: Found | undefined = from === undefined ? undefined : { pk: text(prefix + encodeName(from)), sk: text('s') }
  do {
    const { Items = [], LastEvaluatedKey } = await client.scan({
      TableName: table,
      ConsistentRead: true,
      FilterExpression: 'sk = :sk AND begins_with(pk, :prefix)',
      ExpressionAttributeValues: { ':sk': text('s'), ':prefix': text(prefix) },
      Limit: batch,
      ...(last && { ExclusiveStartKey: last as Item }),
    })
    yield Items.filter(isReadable).map(item => rowIn(decodeName(textIn(item, 'pk')?.slice(prefix.length) ?? ''), item))
    last = LastEvaluatedKey
  } while (last)
}
