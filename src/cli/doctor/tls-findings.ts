/** The certificate files of `tls` and of `redis.tls`. */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import { errorCode, type ReadText } from '../../config/secret-files.js'
import { daysUntil } from './amounts.js'
import { Findings, type Finding } from './finding.js'

const expiryWarnDays = 30

export interface CertificateFiles {
  /** The key of the configuration above them: `tls` or `redis.tls`. */
  readonly key: string
  readonly certFile: string
  readonly keyFile: string
  readonly passphrase: string | undefined
  /** The name browsers use, if it is known and TLS ends here. */
  readonly host: string | undefined
}

export function tlsFindings(files: CertificateFiles, readText: ReadText, nowMs: number): Finding[] {
  const findings = new Findings('tls')
  const { key, certFile, keyFile } = files
  const certificateText = read(findings, `${key}.certFile`, certFile, readText)
  const keyText = read(findings, `${key}.keyFile`, keyFile, readText)
  const certificate = certificateText === undefined ? undefined : certificateOf(findings, files, certificateText)
  const privateKey = keyText === undefined ? undefined : privateKeyOf(findings, files, keyText)
  if (certificate === undefined) return findings.list
  if (privateKey !== undefined) {
    if (certificate.checkPrivateKey(privateKey)) findings.ok('key', `${keyFile} is the key of ${certFile}`)
    else
      findings.failed(
        'key',
        `${keyFile} is not the key of ${certFile}`,
        `put the key of that certificate into ${key}.keyFile`,
      )
  }
  judgeDates(findings, certFile, certificate, nowMs)
  judgeNames(findings, files, certificate)
  return findings.list
}

function read(findings: Findings, key: string, file: string, readText: ReadText): string | undefined {
  try {
    return readText(file)
  } catch (error) {
    findings.failed(
      'readable',
      `${key} names ${file}, which cannot be read (${errorCode(error)})`,
      'check the path, and that the user of the server may read it',
    )
    return undefined
  }
}

function certificateOf(
  findings: Findings,
  { key, certFile }: CertificateFiles,
  text: string,
): X509Certificate | undefined {
  try {
    // Of a chain the first is the server's own.
    return new X509Certificate(text)
  } catch (_notOne) {
    findings.failed(
      'readable',
      `${key}.certFile names ${certFile}, which holds no certificate`,
      'give the PEM file with the certificate and its intermediates, which begins with -----BEGIN CERTIFICATE-----',
    )
    return undefined
  }
}

function privateKeyOf(findings: Findings, files: CertificateFiles, text: string): KeyObject | undefined {
  const { key, keyFile, passphrase } = files
  try {
    return createPrivateKey({ key: text, ...(passphrase === undefined ? {} : { passphrase }) })
  } catch (_notOne) {
    const isEncrypted = text.includes('ENCRYPTED')
    const why = isEncrypted ? 'cannot be opened with the passphrase given' : 'holds no private key'
    findings.failed(
      'readable',
      `${key}.keyFile names ${keyFile}, which ${why}`,
      isEncrypted ? `correct ${key}.passphrase` : 'give the PEM file of the private key',
    )
    return undefined
  }
}

function judgeDates(findings: Findings, certFile: string, certificate: X509Certificate, nowMs: number): void {
  const { validFrom, validTo } = certificate
  const days = daysUntil(Date.parse(validTo), nowMs)
  const renewal = 'renew it; the server reads the new files within 5 s'
  if (Date.parse(validTo) <= nowMs)
    findings.failed('expiry', `The certificate ${certFile} expired on ${validTo}`, renewal)
  else if (Date.parse(validFrom) > nowMs) {
    findings.failed(
      'expiry',
      `The certificate ${certFile} is valid only from ${validFrom} on`,
      "check this machine's clock",
    )
  } else if (days < expiryWarnDays) {
    findings.warning('expiry', `The certificate ${certFile} expires in ${days} days`, renewal)
  } else findings.ok('expiry', `The certificate ${certFile} is valid for ${days} more days`)
}

function judgeNames(findings: Findings, { certFile, host }: CertificateFiles, certificate: X509Certificate): void {
  const names = (certificate.subjectAltName ?? certificate.subject).replaceAll('\n', ', ')
  if (host === undefined) findings.ok('names', `The certificate ${certFile} is for ${names}`)
  else if (isNameOf(certificate, host)) findings.ok('names', `The certificate ${certFile} is for ${host}`)
  else {
    findings.failed(
      'names',
      `The certificate ${certFile} is for ${names}, but not for ${host}`,
      `get one whose subjectAltName holds ${host}, unless a proxy with a certificate of its own is in front`,
    )
  }
}

function isNameOf(certificate: X509Certificate, host: string): boolean {
  return (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined
}
