/** The files of `redis.tls`, as the connection wants them. */
import { errorCode, type ReadText } from './secret-files.js'
import type { Config } from './schema.js'

type RedisTlsFiles = NonNullable<NonNullable<Config['redis']>['tls']>

/** PEM texts. */
export interface RedisTls {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly serverName?: string
}

/** @throws Error with one sentence when a file cannot be read */
export function readRedisTls(tls: RedisTlsFiles, readText: ReadText): RedisTls {
  const { caFile, certFile, keyFile, serverName } = tls
  return {
    ...(caFile === undefined ? {} : { ca: read('caFile', caFile, readText) }),
    ...(certFile === undefined ? {} : { cert: read('certFile', certFile, readText) }),
    ...(keyFile === undefined ? {} : { key: read('keyFile', keyFile, readText) }),
    ...(serverName === undefined ? {} : { serverName }),
  }
}

function read(name: string, file: string, readText: ReadText): string {
  let text: string
  try {
    text = readText(file)
  } catch (error) {
    throw new Error(
      `redis.tls.${name} names ${file}, which cannot be read (${errorCode(error)}): check the path and its permissions`,
      { cause: error },
    )
  }
  if (text.includes('-----BEGIN ')) return text
  throw new Error(`redis.tls.${name} names ${file}, which is not a PEM file: give one that begins with -----BEGIN`)
}
