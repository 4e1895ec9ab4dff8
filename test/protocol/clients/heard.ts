import { eventually } from '../../harness/eventually.js'

/** What a client's handlers were given, in order; `next` walks through it. */
export class Heard<Value> {
  readonly all: Value[] = []
  #read = 0

  /** To be bound as a handler. */
  readonly add = (value: Value): void => {
    this.all.push(value)
  }

  /** The next unread value, waited for. */
  async next(): Promise<Value> {
    const index = this.#read
    await eventually(`value ${index + 1}, after ${JSON.stringify(this.all)}`, () => this.all.length > index)
    this.#read += 1
    return this.all[index]!
  }

  /** The next values in order. */
  async take(count: number): Promise<Value[]> {
    const values: Value[] = []
    while (values.length < count) values.push(await this.next())
    return values
  }
}
