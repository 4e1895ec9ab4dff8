const mebibyte = 1024 * 1024

/** What may wait for one receiver, and for all of a node. */
export const receiverBytesMax = 64 * mebibyte
export const nodeBytesMax = 256 * mebibyte
/** A receiver always has so much, however many others have a queue. */
const receiverBytesMin = mebibyte

/** Shares out the memory for events that wait: a receiver that does not answer takes none that another needs. */
export class QueueSpace {
  /** Receivers for which events wait. */
  #users = 0

  /** Bytes that may wait for one receiver now. */
  get limit(): number {
    return Math.max(receiverBytesMin, Math.min(receiverBytesMax, nodeBytesMax / Math.max(1, this.#users)))
  }

  /** A receiver's queue is no longer empty. */
  enter(): void {
    this.#users += 1
  }

  /** A receiver's queue is empty again. */
  leave(): void {
    this.#users -= 1
  }
}
