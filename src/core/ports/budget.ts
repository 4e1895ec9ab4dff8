/** What an app may use up, shared by all nodes. Every question is answered at once from this node's share (D8). */
export interface Budget {
  /**
   * Takes `count` from the app's rate.
   * @param perSecond the app's rate; 0 = no limit, always true
   */
  take(appId: string, kind: 'triggers' | 'reads', count: number, perSecond: number): boolean
  /**
   * Counts a connection in, unless the app is full.
   * @param connectionsMax 0 = no limit
   */
  admit(appId: string, connectionsMax: number): boolean
  /** Counts a connection out. */
  release(appId: string): void
  /** Connections of the app on all nodes. */
  connections(appId: string): Promise<number>
}
