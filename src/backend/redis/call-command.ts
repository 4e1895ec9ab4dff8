import { Command } from 'ioredis'

/**
 * A command whose reply goes to two functions, once. What ioredis does for every command besides (a chain of promises, flattened and
 * converted arguments, tracing) costs as much as all the rest of a call.
 */
export class CallCommand extends Command {
  readonly #text: string

  /** @param answered is given text where Redis sent bytes; neither function may throw */
  constructor(
    name: string,
    args: readonly string[],
    answered: (reply: unknown) => void,
    failed: (error: unknown) => void,
  ) {
    super(name, [], { replyEncoding: 'utf8' })
    this.#text = encoded(name, args)
    this.isTraced = true
    this.resolve = (reply: Buffer | Buffer[] | number | null) => {
      answered(typeof reply === 'number' || reply === null ? reply : this.transformReply(reply))
    }
    this.reject = failed
  }

  override toWritable(): string {
    return this.#text
  }
}

/** As RESP has it: an array of strings, each with its length in bytes. */
function encoded(name: string, args: readonly string[]): string {
  let text = `*${args.length + 1}\r\n$${name.length}\r\n${name}\r\n`
  for (const arg of args) text += `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`
  return text
}
