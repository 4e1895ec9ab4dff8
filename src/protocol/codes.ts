/** Close codes and error codes of the Pusher protocol (1.5), and the reason text sent with each. */
export const codes = {
  tlsOnly: 4000,
  unknownKey: 4001,
  appDisabled: 4003,
  overQuota: 4004,
  pathNotFound: 4005,
  unsupportedVersion: 4007,
  versionRequired: 4008,
  unauthorized: 4009,
  overCapacity: 4100,
  reconnect: 4200,
  pongNotReceived: 4201,
  clientEventRejected: 4301,
  watchlistLimit: 4302,
  messageTooBig: 1009,
} as const

/** Close frames carry at most 123 bytes of reason. */
export const closeReasonBytesMax = 123
