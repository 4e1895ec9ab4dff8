/** Names of fields that the server reads in frames. */
export const fieldNames = [
  'event',
  'data',
  'channel',
  'auth',
  'channel_data',
  'user_data',
  'user_id',
  'user_info',
  'id',
  'watchlist',
] as const
