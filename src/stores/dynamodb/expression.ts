import type { Attribute, Condition, Item } from './client.ts'

/** An expression: what it sets and removes, and under which conditions. Names and values are apart from its text. */
export class Expression {
  readonly #names: Record<string, string> = {}
  readonly #values: Item = {}
  readonly #sets: string[] = []
  readonly #removes: string[] = []
  readonly #conditions: string[] = []
  #count = 0

  set(attributes: Item): this {
    for (const [name, value] of Object.entries(attributes)) this.#sets.push(`${name} = ${this.#value(value)}`)
    return this
  }

  /** `to`: an expression, in which `?` is the value. */
  make(name: string, to: string, value: Attribute): this {
    this.#sets.push(`${name} = ${to.replace('?', this.#value(value))}`)
    return this
  }

  setIn(map: string, key: string, value: Attribute): this {
    this.#sets.push(`${this.#path(map, key)} = ${this.#value(value)}`)
    return this
  }

  remove(...names: readonly string[]): this {
    this.#removes.push(...names)
    return this
  }

  removeIn(map: string, key: string): this {
    this.#removes.push(this.#path(map, key))
    return this
  }

  /** Each `?` is one of the values. */
  where(condition: string, ...values: readonly Attribute[]): this {
    const left = [...values]
    this.#conditions.push(`(${condition.replace(/\?/g, () => this.#value(left.shift() ?? { S: '' }))})`)
    return this
  }

  get condition(): Condition {
    const isNamed = Object.keys(this.#names).length > 0
    return {
      ConditionExpression: this.#conditions.join(' AND '),
      ...(isNamed && { ExpressionAttributeNames: this.#names }),
      ...(Object.keys(this.#values).length > 0 && { ExpressionAttributeValues: this.#values }),
    }
  }

  get update(): Condition & { UpdateExpression: string } {
    const removes = this.#removes.length > 0 ? ` REMOVE ${this.#removes.join(', ')}` : ''
    return { ...this.condition, UpdateExpression: `SET ${this.#sets.join(', ')}${removes}` }
  }

  #value(value: Attribute): string {
    const name = `:${(this.#count++).toString(36)}`
    this.#values[name] = value
    return name
  }

  #path(map: string, key: string): string {
    const name = `#${(this.#count++).toString(36)}`
    this.#names[name] = key
    return `${map}.${name}`
  }
}
